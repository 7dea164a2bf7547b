package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ScaleFormat;
import java.util.List;

/**
 * The scales of several linears while their gradients are computed elsewhere, part of a batch by
 * part: Adam on d, their natural logarithms, by the sum of what the parts give. {@link
 * ScalesLinear} is the other side, which has the integers and no say in the step.
 */
public final class SharedScales {
  private final float[][] d;
  private final AdamParameters adam;
  private final LearningRate learningRate;

  /**
   * @param scales of each linear, [out × groups]; not changed
   */
  public SharedScales(List<float[]> scales, LearningRate learningRate) {
    this.learningRate = learningRate;
    d = scales.stream().map(ScaledRounding::logarithms).toArray(float[][]::new);
    adam = new AdamParameters(d);
  }

  /** d of each linear, [out × groups]; every step changes these arrays. */
  public float[][] logScales() {
    return d;
  }

  /**
   * A step along Σ shares_p·gradients_p, summed in f64 and in the parts' order.
   *
   * @param gradients of each part of the batch, in the order and sizes of {@link #logScales}
   * @param shares of the parts' windows in the batch's
   * @param iteration counted from 0
   */
  public void step(List<float[][]> gradients, double[] shares, int iteration) {
    for (int linear = 0; linear < d.length; linear++) {
      float[] sum = adam.gradients()[linear];
      for (int g = 0; g < sum.length; g++) {
        double total = 0;
        for (int part = 0; part < shares.length; part++) {
          total += shares[part] * gradients.get(part)[linear][g];
        }
        sum[g] = (float) total;
      }
    }
    adam.step(iteration + 1, learningRate.at(iteration), Workers.single());
  }

  /** The sums of the last step. */
  float[][] gradients() {
    return adam.gradients();
  }

  /** Remembers the present scales. */
  public void remember() {
    adam.remember();
  }

  /** Goes back to the scales last remembered. */
  public void recall() {
    adam.recall();
  }

  /** The present scales of each linear as the file will hold them: new arrays, [out × groups]. */
  public float[][] stored(ScaleFormat format) {
    float[][] scales = new float[d.length][];
    for (int linear = 0; linear < d.length; linear++) {
      scales[linear] = new float[d[linear].length];
      for (int g = 0; g < scales[linear].length; g++) {
        scales[linear][g] = format.usable(ScaledRounding.exponential(d[linear][g]));
      }
    }
    return scales;
  }
}
