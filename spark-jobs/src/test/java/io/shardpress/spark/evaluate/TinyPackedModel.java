package io.shardpress.spark.evaluate;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/** A one-block model of random integers, packed bit by bit by the format's definition. */
final class TinyPackedModel {
  static final int HIDDEN = 40;
  static final int FFN = 72;
  static final int VOCABULARY = 70;

  final ObjectNode config;
  final Map<String, TensorSpec> specs = new HashMap<>();
  final Map<String, byte[]> data = new HashMap<>();

  /** (q − zero)·scale of each linear, by module. */
  final Map<String, float[]> weights = new HashMap<>();

  private final WeightScheme scheme;
  private final Random random = new Random(5);

  TinyPackedModel(WeightScheme scheme) throws IOException {
    this.scheme = scheme;
    config =
        (ObjectNode)
            new JsonMapper()
                .readTree(
                    """
                    {"architectures": ["LlamaForCausalLM"], "model_type": "llama",
                     "hidden_size": 40, "intermediate_size": 72, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 70,
                     "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu",
                     "tie_word_embeddings": false, "torch_dtype": "float32"}""");
    config.set(
        "quantization_config",
        CompressedTensors.quantizationConfig(
            List.of(new SchemeGroup(List.of("Linear"), scheme)), List.of(), null));
    floats("model.embed_tokens.weight", VOCABULARY, HIDDEN);
    floats("model.norm.weight", HIDDEN);
    floats("model.layers.0.input_layernorm.weight", HIDDEN);
    floats("model.layers.0.post_attention_layernorm.weight", HIDDEN);
    linear("model.layers.0.self_attn.q_proj", HIDDEN, HIDDEN);
    linear("model.layers.0.self_attn.k_proj", HIDDEN / 2, HIDDEN);
    linear("model.layers.0.self_attn.v_proj", HIDDEN / 2, HIDDEN);
    linear("model.layers.0.self_attn.o_proj", HIDDEN, HIDDEN);
    linear("model.layers.0.mlp.gate_proj", FFN, HIDDEN);
    linear("model.layers.0.mlp.up_proj", FFN, HIDDEN);
    linear("model.layers.0.mlp.down_proj", HIDDEN, FFN);
    linear("lm_head", VOCABULARY, HIDDEN);
  }

  /** Replaces or adds a tensor of zero bytes. */
  void zeros(String name, Dtype dtype, Long... shape) {
    put(name, dtype, List.of(shape), null);
  }

  void remove(String name) {
    specs.remove(name);
    data.remove(name);
  }

  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    List<TensorSpec> order = SafetensorsHeader.writingOrder(new ArrayList<>(specs.values()));
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(SafetensorsHeader.write(order, Map.of()));
    order.forEach(tensor -> file.writeBytes(data.get(tensor.name())));
    Files.write(folder.resolve("model.safetensors"), file.toByteArray());
    Files.writeString(folder.resolve("config.json"), config.toString());
  }

  void put(String name, Dtype dtype, List<Long> shape, byte[] bytes) {
    TensorSpec spec = new TensorSpec(name, dtype, shape);
    specs.put(name, spec);
    data.put(name, bytes == null ? new byte[(int) spec.bytes()] : bytes);
  }

  private float[] floats(String name, int... sides) {
    int count = 1;
    List<Long> shape = new ArrayList<>();
    for (int side : sides) {
      shape.add((long) side);
      count *= side;
    }
    float[] values = new float[count];
    ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      values[i] = 0.1f + random.nextFloat();
      bytes.putFloat(values[i]);
    }
    put(name, Dtype.F32, shape, bytes.array());
    return values;
  }

  private void linear(String module, int out, int in) {
    int bits = scheme.bits();
    int groups = scheme.groups(in);
    float[] scales = floats(module + ".weight_scale", out, groups);
    int[] group = groups(module, in, groups);
    int[][] codes = new int[out][in];
    int[][] zeros = new int[groups][out];
    float[] w = new float[out * in];
    for (int i = 0; i < out; i++) {
      for (int g = 0; g < groups; g++) {
        zeros[g][i] = scheme.symmetric() ? 1 << (bits - 1) : random.nextInt(1 << bits);
      }
      for (int j = 0; j < in; j++) {
        int g = group[j];
        codes[i][j] = random.nextInt(1 << bits);
        w[i * in + j] = (codes[i][j] - zeros[g][i]) * scales[i * groups + g];
      }
    }
    if (scheme.outliers()) {
      outliers(module, w);
    }
    weights.put(module, w);
    int words = (in * bits + 31) / 32;
    ByteBuffer packed = ByteBuffer.allocate(4 * out * words).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < out; i++) {
      for (int word : pack(codes[i], words)) {
        packed.putInt(word);
      }
    }
    put(module + ".weight_packed", Dtype.I32, List.of((long) out, (long) words), packed.array());
    if (!scheme.symmetric()) {
      put(module, zeros, (out * bits + 31) / 32);
    }
    ByteBuffer shape = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    put(module + ".weight_shape", Dtype.I64, List.of(2L), shape.putLong(out).putLong(in).array());
  }

  /** The group of each column: runs of them, or as many of each shuffled, with their index. */
  private int[] groups(String module, int in, int groups) {
    List<Integer> order = new ArrayList<>();
    for (int j = 0; j < in; j++) {
      order.add(j * groups / in);
    }
    if (scheme.order() == ActOrder.GROUP) {
      Collections.shuffle(order, random);
      ByteBuffer index = ByteBuffer.allocate(4 * in).order(ByteOrder.LITTLE_ENDIAN);
      order.forEach(index::putInt);
      put(module + ".weight_g_idx", Dtype.I32, List.of((long) in), index.array());
    }
    return order.stream().mapToInt(Integer::intValue).toArray();
  }

  /** A few places of the weight and what is added there; among them the first and the last. */
  private void outliers(String module, float[] w) {
    TreeSet<Integer> places = new TreeSet<>(List.of(0, w.length - 1));
    while (places.size() < 9) {
      places.add(random.nextInt(w.length));
    }
    float[] values = floats(module + ".weight_outlier_values", places.size());
    ByteBuffer indices = ByteBuffer.allocate(4 * places.size()).order(ByteOrder.LITTLE_ENDIAN);
    int n = 0;
    for (int place : places) {
      indices.putInt(place);
      w[place] += values[n++];
    }
    List<Long> shape = List.of((long) places.size());
    put(module + ".weight_outlier_indices", Dtype.I32, shape, indices.array());
  }

  /** Zero points: each group's column of [words × groups]. */
  private void put(String module, int[][] zeros, int words) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words * zeros.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int g = 0; g < zeros.length; g++) {
      int[] column = pack(zeros[g], words);
      for (int i = 0; i < words; i++) {
        bytes.putInt(4 * (i * zeros.length + g), column[i]);
      }
    }
    List<Long> shape = List.of((long) words, (long) zeros.length);
    put(module + ".weight_zero_point", Dtype.I32, shape, bytes.array());
  }

  private int[] pack(int[] codes, int words) {
    int[] packed = new int[words];
    for (int bit = 0; bit < codes.length * scheme.bits(); bit++) {
      int value = codes[bit / scheme.bits()] >> (bit % scheme.bits()) & 1;
      packed[bit / 32] |= value << (bit % 32);
    }
    return packed;
  }
}
