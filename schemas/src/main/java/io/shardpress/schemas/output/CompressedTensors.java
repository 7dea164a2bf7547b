package io.shardpress.schemas.output;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;

/**
 * The formats of compressed-tensors that vLLM and Transformers load, {@link LinearFormat}, with the
 * config that describes them. Keys beyond these are fatal to its readers.
 */
public final class CompressedTensors {
  /** The compressed-tensors release whose config this is. */
  public static final String VERSION = "0.12.2";

  /** The top-level format where groups differ in theirs. */
  public static final String MIXED = "mixed-precision";

  /** The top-level format where no weights are quantized, but the cache is. */
  public static final String DENSE = "dense";

  /**
   * Names of activations' scales and zero points behind a module's; of keys' and values' scales.
   */
  public static final String INPUT_SCALE = ".input_scale";

  public static final String INPUT_ZERO_POINT = ".input_zero_point";

  /** Outliers behind a module's name: row-major places, ascending, and the weights there. */
  public static final String OUTLIER_INDICES = ".weight_outlier_indices";

  public static final String OUTLIER_VALUES = ".weight_outlier_values";

  /** The group of each column behind a module's name, where they are no runs of columns. */
  public static final String GROUP_INDEX = ".weight_g_idx";

  /** What the scales of NVFP4 are divided by, behind a module's name. */
  public static final String GLOBAL_SCALE = ".weight_global_scale";

  public static final String K_SCALE = ".k_scale";
  public static final String V_SCALE = ".v_scale";

  private static final int WORD_BITS = 32;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private CompressedTensors() {}

  /**
   * The value of {@code quantization_config} in config.json.
   *
   * @param groups in the order in which they win
   * @param ignore linears that stay as they are; their names or patterns
   * @param kvCache of keys and values; null: they stay as they are
   */
  public static ObjectNode quantizationConfig(
      List<SchemeGroup> groups, List<String> ignore, KvCacheScheme kvCache) {
    boolean mixed = groups.stream().map(LinearFormat::of).distinct().count() > 1;
    ObjectNode config = JSON.objectNode();
    config.put("quant_method", "compressed-tensors");
    config.put("version", VERSION);
    config.put("format", mixed ? MIXED : format(groups));
    config.put("quantization_status", "compressed");
    config.putNull("global_compression_ratio");
    ignore.forEach(config.putArray("ignore")::add);
    config.set("kv_cache_scheme", kvCache == null ? JSON.nullNode() : cache(kvCache));
    config.putObject("sparsity_config");
    config.putObject("transform_config");
    ObjectNode named = config.putObject("config_groups");
    for (int i = 0; i < groups.size(); i++) {
      SchemeGroup one = groups.get(i);
      ObjectNode group = named.putObject("group_" + i);
      one.targets().forEach(group.putArray("targets")::add);
      group.set("weights", weights(one.weights()));
      group.set(
          "input_activations",
          one.activations() == null ? JSON.nullNode() : activations(one.activations()));
      group.putNull("output_activations");
      // In a group, readers of the stock formats refuse a word that they do not know.
      if (mixed || one.weights().outliers()) {
        group.put("format", LinearFormat.of(one).word());
      }
    }
    return config;
  }

  private static String format(List<SchemeGroup> groups) {
    return groups.isEmpty() ? DENSE : LinearFormat.of(groups.get(0)).word();
  }

  private static ObjectNode activations(ActivationScheme scheme) {
    ObjectNode activations = JSON.objectNode();
    activations.put("num_bits", scheme.bits());
    activations.put("type", scheme.type());
    activations.put("symmetric", scheme.symmetric());
    activations.put("strategy", scheme.strategy());
    activations.put("dynamic", scheme.dynamic());
    if (scheme.groupSize() > 0) {
      activations.put("group_size", scheme.groupSize());
    }
    // What is taken from each token as it comes is not observed.
    activations.put("observer", scheme.dynamic() ? null : scheme.observer());
    return activations;
  }

  private static ObjectNode cache(KvCacheScheme scheme) {
    ObjectNode cache = JSON.objectNode();
    cache.put("num_bits", KvCacheScheme.BITS);
    cache.put("type", scheme.type());
    cache.put("symmetric", true);
    cache.put("strategy", "tensor");
    cache.put("dynamic", false);
    return cache;
  }

  private static ObjectNode weights(WeightScheme scheme) {
    ObjectNode weights = JSON.objectNode();
    weights.put("num_bits", scheme.bits());
    weights.put("type", scheme.floating() ? "float" : "int");
    weights.put("symmetric", scheme.symmetric());
    String integers = scheme.perChannel() ? "channel" : "group";
    weights.put("strategy", scheme.floating() ? scheme.form().strategy() : integers);
    boolean grouped = scheme.floating() ? scheme.form().fp4() : !scheme.perChannel();
    weights.put("group_size", grouped ? (Integer) scheme.groupSize() : null);
    weights.put("dynamic", false);
    weights.put("actorder", scheme.order().word());
    if (scheme.form() == WeightForm.FP8_BLOCK) {
      weights.putArray("block_structure").add(WeightForm.BLOCK).add(WeightForm.BLOCK);
    } else {
      weights.putNull("block_structure");
    }
    weights.put("observer", "minmax");
    weights.putObject("observer_kwargs");
    return weights;
  }

  /**
   * The tensors that a linear's weight becomes: integers, packed where the format is {@link
   * LinearFormat#PACK_QUANTIZED}, with their shape then; scales; for asymmetric schemes zero
   * points; where columns are grouped out of order, each column's group. FP8 numbers as they are,
   * and scales [1], [out, 1] or a row for every 128 rows, [⌈out/128⌉, ⌈in/128⌉]. FP4 numbers two in
   * a byte, the even input's in the low bits, [out, in/2], with scales E8M0 [out, in/32], or E4M3
   * [out, in/16] and what they are divided by [1]. Where its inputs share a scale, input_scale [1]
   * and, asymmetric, input_zero_point [1].
   *
   * @param module the weight's name without {@code .weight}
   * @param out rows of the weight
   * @param in columns of the weight
   * @param modelDtype what the model's own weights have, and so the scales: F16, BF16 or F32
   * @throws IllegalArgumentException where the group size does not divide {@code in}
   */
  public static List<OutputTensor> outputTensors(
      String module, int out, int in, SchemeGroup group, String modelDtype) {
    List<OutputTensor> tensors = new ArrayList<>();
    WeightScheme scheme = group.weights();
    if (scheme.form().fp4()) {
      fp4(tensors, module, out, in, scheme);
    } else if (LinearFormat.of(group) == LinearFormat.FLOAT_QUANTIZED) {
      tensors.add(new OutputTensor(module + ".weight", "F8_E4M3", List.of((long) out, (long) in)));
      tensors.add(new OutputTensor(module + ".weight_scale", modelDtype, scales(out, in, scheme)));
    } else if (LinearFormat.of(group) == LinearFormat.INT_QUANTIZED) {
      unpacked(tensors, module, out, in, scheme, modelDtype);
    } else {
      packed(tensors, module, out, in, scheme, modelDtype);
    }
    if (group.staticActivations()) {
      tensors.add(new OutputTensor(module + INPUT_SCALE, modelDtype, List.of(1L)));
      if (!group.activations().symmetric()) {
        tensors.add(new OutputTensor(module + INPUT_ZERO_POINT, "I8", List.of(1L)));
      }
    }
    return List.copyOf(tensors);
  }

  /**
   * The scale [1] of a block's cached keys or values.
   *
   * @param attention name of the block's attention, such as model.layers.0.self_attn
   * @param suffix {@link #K_SCALE} or {@link #V_SCALE}
   */
  public static OutputTensor cacheScale(String attention, String suffix, String modelDtype) {
    return new OutputTensor(attention + suffix, modelDtype, List.of(1L));
  }

  /**
   * The tensors that hold a linear's outliers: places I32 [count], in the order of the weight's
   * rows, and values [count].
   *
   * @param dtype of the weights that they are taken from
   */
  public static List<OutputTensor> outlierTensors(String module, long count, String dtype) {
    return List.of(
        new OutputTensor(module + OUTLIER_INDICES, "I32", List.of(count)),
        new OutputTensor(module + OUTLIER_VALUES, dtype, List.of(count)));
  }

  private static void packed(
      List<OutputTensor> tensors,
      String module,
      int out,
      int in,
      WeightScheme scheme,
      String modelDtype) {
    long groups = scheme.groups(in);
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
    if (scheme.indexed()) {
      tensors.add(new OutputTensor(module + GROUP_INDEX, "I32", List.of((long) in)));
    }
    tensors.add(new OutputTensor(module + ".weight_shape", "I64", List.of(2L)));
  }

  private static void unpacked(
      List<OutputTensor> tensors,
      String module,
      int out,
      int in,
      WeightScheme scheme,
      String modelDtype) {
    List<Long> scales = List.of((long) out, (long) scheme.groups(in));
    tensors.add(new OutputTensor(module + ".weight", "I8", List.of((long) out, (long) in)));
    tensors.add(new OutputTensor(module + ".weight_scale", modelDtype, scales));
    if (!scheme.symmetric()) {
      tensors.add(new OutputTensor(module + ".weight_zero_point", "I8", scales));
    }
  }

  private static void fp4(
      List<OutputTensor> tensors, String module, int out, int in, WeightScheme scheme) {
    boolean nvidia = scheme.form() == WeightForm.NVFP4;
    List<Long> scales = List.of((long) out, (long) scheme.groups(in));
    tensors.add(new OutputTensor(module + ".weight_packed", "U8", List.of((long) out, in / 2L)));
    tensors.add(new OutputTensor(module + ".weight_scale", nvidia ? "F8_E4M3" : "U8", scales));
    if (nvidia) {
      tensors.add(new OutputTensor(module + GLOBAL_SCALE, "F32", List.of(1L)));
    }
  }

  /** The shape of FP8 weights' scales. */
  private static List<Long> scales(int out, int in, WeightScheme scheme) {
    return switch (scheme.form()) {
      case FP8_TENSOR -> List.of(1L);
      case FP8_BLOCK ->
          List.of((out + WeightForm.BLOCK - 1L) / WeightForm.BLOCK, (long) scheme.groups(in));
      default -> List.of((long) out, 1L);
    };
  }

  /** Words that hold {@code count} integers of {@code bits} bits. */
  private static long words(int count, int bits) {
    return ((long) count * bits + WORD_BITS - 1) / WORD_BITS;
  }
}
