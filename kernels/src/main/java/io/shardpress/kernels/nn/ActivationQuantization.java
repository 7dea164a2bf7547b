package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;
import java.io.Serializable;

/**
 * What a runtime rounds on its way through a block beside the weights. The residual stream, norms,
 * softmax and what linears give are never rounded.
 *
 * @param inputs how the linears' inputs are, or null where they stay as they are
 * @param keyValues how the attention's cache is, or null where it stays as it is
 */
public record ActivationQuantization(InputQuantization inputs, KeyValueQuantization keyValues)
    implements Serializable {
  /** Nothing is rounded. */
  public static final ActivationQuantization NONE = new ActivationQuantization(null, null);

  /** What a stage's linears read: its input, or that rounded, in an array of its own. */
  float[] input(Stage stage, BlockShape shape, BlockActivations a, Workers workers) {
    float[] x = a.stageInput(stage);
    if (inputs == null) {
      return x;
    }
    int width = shape.in(stage);
    float[] quantized = a.quantizedInput(width);
    inputs.apply(stage, a.rows, width, x, quantized, workers);
    return quantized;
  }

  /** Rounds what an expert's down reads, [rows×width], in place. */
  void insideExpert(int rows, int width, float[] x, Workers workers) {
    if (inputs != null) {
      float[] quantized = new float[rows * width];
      inputs.apply(Stage.DOWN, rows, width, x, quantized, workers);
      System.arraycopy(quantized, 0, x, 0, rows * width);
    }
  }

  /** Rounds keys and values [rows×width] in place where that is done before the rotation. */
  void beforeRope(int rows, int width, float[] keys, float[] values, Workers workers) {
    if (keyValues != null) {
      keyValues.beforeRope(rows, width, keys, values, workers);
    }
  }

  /** Rounds keys and values [rows×width] in place where that is done after the rotation. */
  void afterRope(int rows, int width, float[] keys, float[] values, Workers workers) {
    if (keyValues != null) {
      keyValues.afterRope(rows, width, keys, values, workers);
    }
  }
}
