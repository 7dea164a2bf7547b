package io.shardpress.schemas.output;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;

/**
 * The format that vLLM and Transformers load: compressed-tensors' {@code pack-quantized}, integers
 * packed into 32-bit words, with the config that describes them. Keys beyond these are fatal to its
 * readers.
 */
public final class CompressedTensors {
  /** The compressed-tensors release whose config this is. */
  public static final String VERSION = "0.12.2";

  private static final String FORMAT = "pack-quantized";
  private static final int WORD_BITS = 32;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private CompressedTensors() {}

  /**
   * The value of {@code quantization_config} in config.json.
   *
   * @param groups in the order in which they win
   * @param ignore linears that stay as they are; their names or patterns
   */
  public static ObjectNode quantizationConfig(List<SchemeGroup> groups, List<String> ignore) {
    ObjectNode config = JSON.objectNode();
    config.put("quant_method", "compressed-tensors");
    config.put("version", VERSION);
    config.put("format", FORMAT);
    config.put("quantization_status", "compressed");
    config.putNull("global_compression_ratio");
    ignore.forEach(config.putArray("ignore")::add);
    config.putNull("kv_cache_scheme");
    config.putObject("sparsity_config");
    config.putObject("transform_config");
    ObjectNode named = config.putObject("config_groups");
    for (int i = 0; i < groups.size(); i++) {
      ObjectNode group = named.putObject("group_" + i);
      groups.get(i).targets().forEach(group.putArray("targets")::add);
      group.set("weights", weights(groups.get(i).weights()));
      group.putNull("input_activations");
      group.putNull("output_activations");
    }
    return config;
  }

  private static ObjectNode weights(WeightScheme scheme) {
    ObjectNode weights = JSON.objectNode();
    weights.put("num_bits", scheme.bits());
    weights.put("type", "int");
    weights.put("symmetric", scheme.symmetric());
    weights.put("strategy", scheme.perChannel() ? "channel" : "group");
    weights.put("group_size", scheme.perChannel() ? null : (Integer) scheme.groupSize());
    weights.put("dynamic", false);
    weights.putNull("actorder");
    weights.putNull("block_structure");
    weights.put("observer", "minmax");
    weights.putObject("observer_kwargs");
    return weights;
  }

  /**
   * The tensors that a linear's weight becomes: packed integers, scales, for asymmetric schemes
   * zero points, and the shape.
   *
   * @param module the weight's name without {@code .weight}
   * @param out rows of the weight
   * @param in columns of the weight
   * @param modelDtype what the model's own weights have, and so the scales: F16, BF16 or F32
   * @throws IllegalArgumentException where the group size does not divide {@code in}
   */
  public static List<OutputTensor> outputTensors(
      String module, int out, int in, WeightScheme scheme, String modelDtype) {
    long groups = scheme.groups(in);
    List<OutputTensor> tensors = new ArrayList<>();
    tensors.add(
        new OutputTensor(
            module + ".weight_packed", "I32", List.of((long) out, words(in, scheme.bits()))));
    tensors.add(
        new OutputTensor(module + ".weight_scale", modelDtype, List.of((long) out, groups)));
    if (!scheme.symmetric()) {
      tensors.add(
          new OutputTensor(
              module + ".weight_zero_point", "I32", List.of(words(out, scheme.bits()), groups)));
    }
    tensors.add(new OutputTensor(module + ".weight_shape", "I64", List.of(2L)));
    return List.copyOf(tensors);
  }

  /** Words that hold {@code count} integers of {@code bits} bits. */
  private static long words(int count, int bits) {
    return ((long) count * bits + WORD_BITS - 1) / WORD_BITS;
  }
}
