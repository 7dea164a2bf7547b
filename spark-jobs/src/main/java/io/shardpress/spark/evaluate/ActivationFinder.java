package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.PackedScheme;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** Finds what a block's activations are rounded by, in config.json and among the tensors. */
final class ActivationFinder {
  private final String configFile;
  private final PackedScheme schemes;
  private final DecoderNames names;
  private final ModelConfig config;
  private final Function<String, TensorRef> floats;
  private final Function<String, TensorRef> integers;

  /**
   * @param schemes what quantization_config says
   * @param floats finds a floating-point tensor [1] by its name
   * @param integers finds an I8 tensor [1] by its name
   */
  ActivationFinder(
      String configFile,
      PackedScheme schemes,
      DecoderNames names,
      ModelConfig config,
      Function<String, TensorRef> floats,
      Function<String, TensorRef> integers) {
    this.configFile = configFile;
    this.schemes = schemes;
    this.names = names;
    this.config = config;
    this.floats = floats;
    this.integers = integers;
  }

  StoredActivations of(int block) {
    Map<Stage, ActivationScheme> inputs = new EnumMap<>(Stage.class);
    Map<Stage, List<TensorRef>> scales = new EnumMap<>(Stage.class);
    Map<Stage, List<TensorRef>> zeros = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      ActivationScheme scheme = scheme(block, stage);
      if (scheme == null) {
        continue;
      }
      inputs.put(stage, scheme);
      if (!scheme.dynamic()) {
        scales.put(stage, find(block, stage, CompressedTensors.INPUT_SCALE, floats));
      }
      if (!scheme.dynamic() && !scheme.symmetric()) {
        zeros.put(stage, find(block, stage, CompressedTensors.INPUT_ZERO_POINT, integers));
      }
    }
    KvCacheScheme cache = schemes.kvCache().orElse(null);
    String output = names.module(block, LinearRole.O);
    String attention = output.substring(0, output.lastIndexOf('.'));
    return new StoredActivations(
        inputs,
        scales,
        zeros,
        cache,
        cache == null ? null : floats.apply(attention + CompressedTensors.K_SCALE),
        cache == null ? null : floats.apply(attention + CompressedTensors.V_SCALE));
  }

  private List<LinearRole> linears(int block, Stage stage) {
    return config.linears(block).stream().filter(role -> Stage.of(role) == stage).toList();
  }

  /** The one scheme of all linears of a stage. */
  private ActivationScheme scheme(int block, Stage stage) {
    String first = names.module(block, linears(block, stage).get(0));
    ActivationScheme scheme = scheme(first);
    for (LinearRole role : linears(block, stage)) {
      String module = names.module(block, role);
      if (!Objects.equals(scheme, scheme(module))) {
        throw new CheckpointException(
            "%s: quantization_config: found different input_activations for %s and %s, wanted the same; they read the same input"
                .formatted(configFile, first, module));
      }
    }
    return scheme;
  }

  private ActivationScheme scheme(String module) {
    return schemes.of(module).map(SchemeGroup::activations).orElse(null);
  }

  private List<TensorRef> find(
      int block, Stage stage, String suffix, Function<String, TensorRef> finder) {
    List<TensorRef> found = new ArrayList<>();
    linears(block, stage)
        .forEach(role -> found.add(finder.apply(names.module(block, role) + suffix)));
    return List.copyOf(found);
  }
}
