package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;

/**
 * A linear [out×in] whose rounding has parameters that gradients can change. A block-wise learner
 * asks for Ŵ, gives ∂loss/∂Ŵ back, and lets it take a step.
 */
public interface TrainableLinear {
  /**
   * Makes Ŵ [out×in] from the parameters; the array is this object's own, and holds Ŵ until {@link
   * #backward}.
   */
  float[] forward(Workers workers);

  /**
   * Takes the parameters' gradients from ∂loss/∂Ŵ [out×in], after {@link #forward}.
   *
   * @param gradient may be overwritten
   */
  void backward(float[] gradient, Workers workers);

  /**
   * Changes the parameters by one step along the gradients of the last {@link #backward}.
   *
   * @param step counted from 1
   */
  void step(int step, double learningRate, Workers workers);

  /** Remembers the present parameters. */
  void remember();

  /** Goes back to the parameters last remembered. */
  void recall();

  /** What was learned, its steps rounded to the stored dtype before the codes are chosen. */
  QuantizedLinear result(ScaleFormat format, Workers workers);

  /**
   * The weights [out×in] that are rounded to {@link #result}'s codes, times the steps: another
   * learner can start from them. A new array.
   */
  float[] rounded(Workers workers);
}
