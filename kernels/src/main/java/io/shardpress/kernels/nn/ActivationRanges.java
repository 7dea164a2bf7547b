package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationRange;
import io.shardpress.kernels.quant.ActivationStep;
import java.util.EnumMap;
import java.util.Map;

/** The ranges that a block's activations were observed in, from which static scales follow. */
public final class ActivationRanges {
  private final Map<Stage, ActivationRange> stages = new EnumMap<>(Stage.class);
  private final ActivationRange keys = new ActivationRange();
  private final ActivationRange values = new ActivationRange();

  public ActivationRanges() {
    for (Stage stage : Stage.values()) {
      stages.put(stage, new ActivationRange());
    }
  }

  /** What the linears of a stage read. */
  public ActivationRange stage(Stage stage) {
    return stages.get(stage);
  }

  /** Keys after the rotation. */
  public ActivationRange keys() {
    return keys;
  }

  /** Values. */
  public ActivationRange values() {
    return values;
  }

  /** Takes a batch in after a stage has run: its input, and after QKV keys and values. */
  public void observe(Stage stage, BlockShape shape, BlockActivations a, Workers workers) {
    int width = shape.in(stage);
    stages.get(stage).observe(a.stageInput(stage), a.rows * width, workers);
    if (stage == Stage.QKV) {
      keys.observe(a.key(), a.rows * shape.keyWidth(), workers);
      values.observe(a.value(), a.rows * shape.keyWidth(), workers);
    }
  }

  /** Takes in what another partition has observed. */
  public void merge(ActivationRanges other) {
    stages.forEach((stage, range) -> range.merge(other.stages.get(stage)));
    keys.merge(other.keys);
    values.merge(other.values);
  }

  /** Static integer steps of all stages, those with the least squared error. */
  public InputQuantization inputs(boolean symmetric) {
    Map<Stage, ActivationStep> steps = new EnumMap<>(Stage.class);
    stages.forEach(
        (stage, range) ->
            steps.put(
                stage, symmetric ? range.leastErrorSymmetric() : range.leastErrorAsymmetric()));
    return new InputQuantization.PerTensor(steps);
  }

  /** k_scale and v_scale by the greatest magnitudes. */
  public KeyValueQuantization keyValues(ActivationFormat format) {
    return new KeyValueQuantization.PerTensor(
        keys.wholeSymmetric(format), values.wholeSymmetric(format));
  }
}
