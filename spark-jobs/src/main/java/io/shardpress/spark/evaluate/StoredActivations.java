package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.ActivationQuantization;
import io.shardpress.kernels.nn.InputQuantization;
import io.shardpress.kernels.nn.KeyValueQuantization;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * How a checkpoint says that a block's activations are rounded, and where their static scales lie.
 *
 * @param inputs by stage; stages whose inputs stay as they are have none
 * @param scales input_scale of every linear of a stage with static scales, [1]
 * @param zeros input_zero_point of the same where they have them, I8 [1]
 * @param cache null where keys and values stay as they are
 * @param keyScale k_scale, [1]; null without a cache, and where it is rounded as published
 * @param valueScale v_scale, likewise
 */
record StoredActivations(
    Map<Stage, ActivationScheme> inputs,
    Map<Stage, List<TensorRef>> scales,
    Map<Stage, List<TensorRef>> zeros,
    KvCacheScheme cache,
    TensorRef keyScale,
    TensorRef valueScale)
    implements Serializable {
  /** The same with keys and values rounded per token before the rotation, as LRQ was measured. */
  StoredActivations withPublishedCache() {
    return cache == null ? this : new StoredActivations(inputs, scales, zeros, cache, null, null);
  }

  /** Reads the scales, and gives what happens in each stage. */
  Map<Stage, ActivationQuantization> load(TensorReader reader) {
    KeyValueQuantization keyValues = keyValues(reader);
    Map<Stage, ActivationQuantization> stages = new EnumMap<>(Stage.class);
    Map<Stage, InputQuantization> own = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      InputQuantization quantization = inputs(stage, reader);
      if (quantization != null) {
        own.put(stage, quantization);
      }
    }
    // Each stage by its own, also where a mixture of experts runs two at once.
    InputQuantization all = own.isEmpty() ? null : new InputQuantization.ByStage(own);
    for (Stage stage : Stage.values()) {
      stages.put(stage, new ActivationQuantization(all, keyValues));
    }
    return stages;
  }

  private InputQuantization inputs(Stage stage, TensorReader reader) {
    ActivationScheme scheme = inputs.get(stage);
    if (scheme == null) {
      return null;
    }
    ActivationFormat format = scheme.floating() ? ActivationFormat.FP8_E4M3 : ActivationFormat.INT8;
    if (scheme.groupSize() > 0) {
      return new InputQuantization.PerTokenGroup(format, scheme.groupSize());
    }
    if (scheme.dynamic()) {
      return scheme.symmetric()
          ? new InputQuantization.PerToken(format)
          : new InputQuantization.PerTokenAsymmetric();
    }
    float scale = shared(scales.get(stage), reader);
    int zero = scheme.symmetric() ? 0 : (int) shared(zeros.get(stage), reader);
    return new InputQuantization.PerTensor(
        Map.of(stage, new ActivationStep(format, scale, zero + 128)));
  }

  private KeyValueQuantization keyValues(TensorReader reader) {
    if (cache == null) {
      return null;
    }
    if (keyScale == null) {
      return new KeyValueQuantization.PerToken();
    }
    ActivationFormat format = cache.floating() ? ActivationFormat.FP8_E4M3 : ActivationFormat.INT8;
    return new KeyValueQuantization.PerTensor(
        new ActivationStep(format, shared(List.of(keyScale), reader), 128),
        new ActivationStep(format, shared(List.of(valueScale), reader), 128));
  }

  /** The one number that all of these tensors hold: runtimes fuse their linears. */
  private static float shared(List<TensorRef> tensors, TensorReader reader) {
    float first = value(tensors.get(0), reader);
    for (TensorRef tensor : tensors) {
      float value = value(tensor, reader);
      if (value != first) {
        throw new CheckpointException(
            "%s: tensor %s: found %s, wanted %s as in %s; linears that read the same input share its scale"
                .formatted(tensor.file(), tensor.tensor(), value, first, tensors.get(0).tensor()));
      }
    }
    return first;
  }

  private static float value(TensorRef tensor, TensorReader reader) {
    boolean zeroPoint = tensor.dtype().bits() == Byte.SIZE;
    float value = zeroPoint ? reader.readBytes(tensor)[0] : reader.readFloats(tensor)[0];
    if (!zeroPoint && !(value > 0 && value <= Float.MAX_VALUE)) {
      throw new CheckpointException(
          "%s: tensor %s: found %s, wanted a finite number above 0; the scale is damaged, compress the model again"
              .formatted(tensor.file(), tensor.tensor(), value));
    }
    return value;
  }
}
