package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * One linear of LRQ (arXiv 2407.11534, eq. 2 to 4): the weights are scaled by a matrix of low rank
 * before they are rounded, S = L·U + r + c, a = W/exp(d + S), q = clamp(round(a), −z, 2^b − 1 − z),
 * Ŵ = exp(d)·q. L starts at zero, so learning starts from plain rounding. d is learned per row, or
 * per row and group; z is fixed. Nothing of S is left at inference.
 *
 * <p>{@link ScaledRounding} has the gradients of S, r, c and d; ∂L = ∂S·Uᵀ, ∂U = Lᵀ·∂S.
 */
public final class LrqLinear implements TrainableLinear {
  private final int out;
  private final int in;
  private final int rank;
  private final ScaledRounding rounding;
  private final AdamParameters adam;
  private final float[][] parameters;
  private final float[][] gradients;
  private final float[] shrunk;
  private final Matmul matmul;

  // Places in parameters and gradients.
  private static final int L = 0;
  private static final int U = 1;
  private static final int R = 2;
  private static final int C = 3;
  private static final int D = 4;

  /**
   * @param w [out×in] the weights to round; kept, not copied
   * @param start the steps that learning starts from
   * @param rank k, columns of L
   * @param random draws U ~ U(−1/√in, 1/√in)
   * @param learned the dtype to which steps are rounded while they are learned
   */
  public LrqLinear(
      float[] w,
      int out,
      int in,
      WeightScheme scheme,
      Steps start,
      int rank,
      SeededRandom random,
      Matmul matmul,
      ScaleFormat learned) {
    this.out = out;
    this.in = in;
    this.rank = rank;
    this.rounding = new ScaledRounding(w, out, in, scheme, start.zeros(), learned);
    this.matmul = matmul;
    this.parameters =
        new float[][] {
          new float[out * rank],
          new float[rank * in],
          new float[out],
          new float[in],
          ScaledRounding.logarithms(start.scales())
        };
    this.adam = new AdamParameters(parameters);
    this.gradients = adam.gradients();
    float limit = (float) (1 / Math.sqrt(in));
    for (int i = 0; i < rank * in; i++) {
      parameters[U][i] = random.nextFloat(limit);
    }
    this.shrunk = new float[out * in];
  }

  /** L, U, r, c and d, as arrays that an optimizer changes in place. */
  public float[][] parameters() {
    return parameters;
  }

  /** The gradients of {@link #parameters()} after {@link #backward}. */
  public float[][] gradients() {
    return gradients;
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
  public float[] forward(Workers workers) {
    lowRank(workers);
    return rounding.forward(shrunk, shrunk, shifts(parameters), workers);
  }

  @Override
  public void backward(float[] g, Workers workers) {
    // v is overwritten with ∂S: nothing needs it any more.
    rounding.backward(g, shrunk, shifts(gradients), workers);
    if (rank > 0) {
      matmul.multiply(
          Op.AS_IS,
          Op.TRANSPOSED,
          out,
          rank,
          in,
          1,
          shrunk,
          0,
          in,
          parameters[U],
          0,
          in,
          0,
          gradients[L],
          0,
          rank,
          workers);
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          rank,
          in,
          out,
          1,
          parameters[L],
          0,
          rank,
          shrunk,
          0,
          in,
          0,
          gradients[U],
          0,
          in,
          workers);
    }
  }

  @Override
  public QuantizedLinear result(ScaleFormat format, Workers workers) {
    lowRank(workers);
    return rounding.result(shrunk, shrunk, shifts(parameters), format, workers);
  }

  private static ScaledRounding.Shifts shifts(float[][] of) {
    return new ScaledRounding.Shifts(of[R], of[C], of[D]);
  }

  @Override
  public float[] rounded(Workers workers) {
    forward(workers);
    return shrunk.clone();
  }

  /** L·U into {@code shrunk}. */
  private void lowRank(Workers workers) {
    if (rank > 0) {
      matmul.multiply(
          Op.AS_IS,
          Op.AS_IS,
          out,
          in,
          rank,
          1,
          parameters[L],
          0,
          rank,
          parameters[U],
          0,
          in,
          0,
          shrunk,
          0,
          in,
          workers);
    } else {
      Arrays.fill(shrunk, 0);
    }
  }
}
