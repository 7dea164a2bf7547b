package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;

/**
 * A linear that is on its grid already, of which only the scales are learned: Ŵ = exp(d)·(code −
 * zero) with d [out × groups] the scales' natural logarithms. No weight is rounded, so the gradient
 * is exact: ∂d_g = Σ G∘Ŵ over the group, with G = ∂loss/∂Ŵ. Adam learns d.
 *
 * <p>A gradient has one number for each scale, so a batch can be spread over a cluster: every
 * partition of it runs the backward pass, and the sum of their gradients takes one step.
 */
public final class ScalesLinear implements TrainableLinear {
  private final QuantizedLinear start;
  private final ScaleFormat learned;
  private final AdamParameters adam;
  private final float[] d;
  private final float[] gradient;
  private final float[] quantized;

  /**
   * @param start codes, zero points and the scales that learning starts from; kept, not copied
   * @param learned the dtype to which scales are rounded while they are learned; gradients pass
   *     that rounding as if it were not there
   */
  public ScalesLinear(QuantizedLinear start, ScaleFormat learned) {
    this.start = start;
    this.learned = learned;
    d = ScaledRounding.logarithms(start.steps().scales());
    adam = new AdamParameters(d);
    gradient = adam.gradients()[0];
    quantized = new float[start.out() * start.in()];
  }

  /** d [out × groups], as an array that an optimizer changes in place. */
  public float[] logScales() {
    return d;
  }

  /**
   * ∂loss/∂d [out × groups] after {@link #backward}: the array from which {@link #step} reads it,
   * so that a caller may put the sum over several partitions of a batch there.
   */
  public float[] gradient() {
    return gradient;
  }

  @Override
  public float[] forward(Workers workers) {
    int groups = start.steps().groups();
    int length = start.groupLength();
    RowTiles.forEach(
        start.out(),
        workers,
        row -> {
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            float scale = learned.usable(ScaledRounding.exponential(d[g]));
            int zero = start.steps().zeros()[g];
            for (int i = g * length; i < (g + 1) * length; i++) {
              quantized[i] = scale * ((start.codes()[i] & 0xFF) - zero);
            }
          }
        });
    return quantized;
  }

  @Override
  public void backward(float[] g, Workers workers) {
    int groups = start.steps().groups();
    int length = start.groupLength();
    RowTiles.forEach(
        start.out(),
        workers,
        row -> {
          for (int k = row * groups; k < (row + 1) * groups; k++) {
            gradient[k] = Loops.chosen().dot(g, k * length, quantized, k * length, length);
          }
        });
  }

  @Override
  public void step(int step, double learningRate, Workers workers) {
    adam.step(step, learningRate, workers);
  }

  @Override
  public void remember() {
    adam.remember();
  }

  @Override
  public void recall() {
    adam.recall();
  }

  /** The codes and zero points of the start, with scales rounded to the stored dtype. */
  @Override
  public QuantizedLinear result(ScaleFormat format, Workers workers) {
    Steps before = start.steps();
    Steps steps =
        new Steps(before.out(), before.groups(), new float[d.length], before.zeros().clone());
    for (int g = 0; g < d.length; g++) {
      steps.scales()[g] = format.usable(ScaledRounding.exponential(d[g]));
    }
    return new QuantizedLinear(start.out(), start.in(), start.scheme(), start.codes(), steps);
  }

  @Override
  public float[] rounded(Workers workers) {
    return forward(workers).clone();
  }
}
