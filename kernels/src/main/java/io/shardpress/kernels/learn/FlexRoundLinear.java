package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * One linear of FlexRound (arXiv 2306.00317): every weight has a divisor of its own, Ŵ =
 * s₁·round(W/(s₁∘S₂∘s₃)), here by logarithms as in LRQ, which keeps all divisors positive: d = log
 * s₁ per row or group, S = log S₂ [out×in] and r = log s₃ [out], so that a = W/exp(d + S + r), q =
 * clamp(round(a), −z, 2^b − 1 − z), Ŵ = exp(d)·q. S and r start at zero, so learning starts from
 * plain rounding; z is fixed. Nothing of S and r is left at inference.
 *
 * <p>Adam learns S, r and d; {@link ScaledRounding} has their gradients.
 */
public final class FlexRoundLinear implements TrainableLinear {
  private final ScaledRounding rounding;
  private final AdamParameters adam;
  private final ScaledRounding.Shifts shifts;
  private final ScaledRounding.Shifts shiftGradients;
  private final float[] s;
  // v in the forward pass, ∂S after the backward pass: the one is overwritten with the other.
  private final float[] shrunk;

  /**
   * @param w [out×in] the weights to round; kept, not copied
   * @param start the steps that learning starts from
   * @param format of the scales in the file: learning sees them rounded to it, so that no code
   *     changes when they are stored
   */
  public FlexRoundLinear(
      float[] w, int out, int in, WeightScheme scheme, Steps start, ScaleFormat format) {
    rounding = new ScaledRounding(w, out, in, scheme, start.zeros(), format);
    s = new float[out * in];
    float[] r = new float[out];
    float[] d = ScaledRounding.logarithms(start.scales());
    adam = new AdamParameters(s, r, d);
    shrunk = adam.gradients()[0];
    // Columns have no shift of their own: S holds it.
    shifts = new ScaledRounding.Shifts(r, new float[in], d);
    shiftGradients =
        new ScaledRounding.Shifts(adam.gradients()[1], new float[in], adam.gradients()[2]);
  }

  /** S, r and d, as arrays that an optimizer changes in place. */
  public float[][] parameters() {
    return adam.values();
  }

  /** The gradients of {@link #parameters()} after {@link #backward}, until the next pass. */
  public float[][] gradients() {
    return adam.gradients();
  }

  @Override
  public float[] forward(Workers workers) {
    return rounding.forward(s, shrunk, shifts, workers);
  }

  @Override
  public void backward(float[] gradient, Workers workers) {
    rounding.backward(gradient, shrunk, shiftGradients, workers);
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

  @Override
  public QuantizedLinear result(ScaleFormat format, Workers workers) {
    return rounding.result(s, shrunk, shifts, format, workers);
  }

  @Override
  public float[] rounded(Workers workers) {
    rounding.forward(s, shrunk, shifts, workers);
    return shrunk.clone();
  }
}
