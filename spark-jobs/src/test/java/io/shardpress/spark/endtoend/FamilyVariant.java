package io.shardpress.spark.endtoend;

import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The trained sample with what other families have, in random numbers: it knows less than the
 * sample, but still enough that a wrong reading would be seen.
 */
@SuppressWarnings("EnumOrdinal")
public enum FamilyVariant {
  /** Biases everywhere; those of q and k change their order with the rows. */
  LLAMA("llama") {
    @Override
    void change(Path config, List<Tensor> tensors, Random random) throws IOException {
      SampleFiles.replace(config, "\"attention_bias\": false", "\"attention_bias\": true");
      SampleFiles.replace(config, "\"mlp_bias\": false", "\"mlp_bias\": true");
      addBiases(tensors, ".*_proj\\.weight", random);
    }
  },
  /** A head of its own. */
  MISTRAL("mistral") {
    @Override
    void change(Path config, List<Tensor> tensors, Random random) throws IOException {
      SampleFiles.replace(
          config, "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
      Tensor embedding = named(tensors, "model.embed_tokens.weight");
      float[] head = embedding.bf16();
      for (int i = 0; i < head.length; i++) {
        head[i] += (float) (0.02 * random.nextGaussian());
      }
      tensors.add(bf16("lm_head.weight", embedding.shape(), head));
    }
  },
  /** Biases of q, k and v, and halves of heads that turn against each other. */
  QWEN2("qwen2") {
    @Override
    void change(Path config, List<Tensor> tensors, Random random) {
      addBiases(tensors, ".*[qkv]_proj\\.weight", random);
    }
  },
  /** Norms of heads; half of the sample's heads, so that they are not as wide as the stream. */
  QWEN3("qwen3") {
    @Override
    void change(Path config, List<Tensor> tensors, Random random) throws IOException {
      SampleFiles.replace(config, "\"num_attention_heads\": 8", "\"num_attention_heads\": 4");
      SampleFiles.replace(config, "\"num_key_value_heads\": 4", "\"num_key_value_heads\": 2");
      tensors.replaceAll(
          tensor -> {
            if (tensor.name().matches(".*[qkv]_proj\\.weight")) {
              return part(tensor, tensor.shape().get(0) / 2, tensor.shape().get(1));
            }
            return tensor.name().endsWith("o_proj.weight")
                ? part(tensor, tensor.shape().get(0), tensor.shape().get(1) / 2)
                : tensor;
          });
      for (int layer = 0; layer < LAYERS; layer++) {
        for (String which : List.of("q_norm", "k_norm")) {
          float[] norm = new float[HEAD_DIM];
          for (int i = 0; i < HEAD_DIM; i++) {
            norm[i] = 0.5f + random.nextFloat();
          }
          String name = "model.layers." + layer + ".self_attn." + which + ".weight";
          tensors.add(bf16(name, List.of((long) HEAD_DIM), norm));
        }
      }
    }
  };

  private static final int LAYERS = 6;
  private static final int HEAD_DIM = 32;

  private final String modelType;

  FamilyVariant(String modelType) {
    this.modelType = modelType;
  }

  abstract void change(Path config, List<Tensor> tensors, Random random) throws IOException;

  /** Writes the model. */
  public Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (String name : List.of("config.json", "tokenizer.json")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), folder.resolve(name));
    }
    Path config = folder.resolve("config.json");
    SampleFiles.replace(
        config, "\"model_type\": \"llama\"", "\"model_type\": \"" + modelType + "\"");
    List<Tensor> tensors = new ArrayList<>(SampleFiles.tensors().values());
    change(config, tensors, new Random(ordinal()));
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors);
    return folder;
  }

  private static void addBiases(List<Tensor> tensors, String of, Random random) {
    for (Tensor tensor : List.copyOf(tensors)) {
      if (tensor.name().matches(of)) {
        float[] bias = new float[tensor.shape().get(0).intValue()];
        // Those of q and k are large, so that another order of them is another model.
        double scale = tensor.name().matches(".*[qk]_proj.*") ? 1 : 0.1;
        for (int i = 0; i < bias.length; i++) {
          bias[i] = (float) (scale * random.nextGaussian());
        }
        String name = tensor.name().replace(".weight", ".bias");
        tensors.add(bf16(name, List.of((long) bias.length), bias));
      }
    }
  }

  /** The first rows and columns. */
  private static Tensor part(Tensor tensor, long rows, long columns) {
    float[] all = tensor.bf16();
    float[] part = new float[(int) (rows * columns)];
    int width = tensor.shape().get(1).intValue();
    for (int row = 0; row < rows; row++) {
      System.arraycopy(all, row * width, part, row * (int) columns, (int) columns);
    }
    return bf16(tensor.name(), List.of(rows, columns), part);
  }

  private static Tensor named(List<Tensor> tensors, String name) {
    return tensors.stream().filter(tensor -> tensor.name().equals(name)).findFirst().orElseThrow();
  }

  private static Tensor bf16(String name, List<Long> shape, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    return new Tensor(name, "BF16", shape, "", 0, Arrays.copyOf(bytes.array(), bytes.position()));
  }
}
