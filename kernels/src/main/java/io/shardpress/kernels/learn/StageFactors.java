package io.shardpress.kernels.learn;

import io.shardpress.kernels.linalg.Cholesky;
import io.shardpress.kernels.linalg.NotPositiveDefiniteException;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;

/**
 * What all linears of a stage share, made from the second moments of their inputs: with X the
 * full-precision inputs and X̃ those behind the quantized layers, H̃ = X̃ᵀX̃ and P = (X − X̃)ᵀX̃.
 *
 * @param in inputs of the linears
 * @param inverseUpper U [in×in], (H̃ + damping)⁻¹ = Uᵀ·U, for GPTQ
 * @param correction P·(H̃ + λI)⁻¹ [in×in], or null where targets are not corrected
 * @param importance diag(H̃) over its mean [in]
 * @param damping what was added to H̃'s diagonal, as a share of its mean
 */
public record StageFactors(
    int in, float[] inverseUpper, float[] correction, float[] importance, double damping) {
  // Times its start, at most: beyond it the statistics themselves are broken.
  private static final double LARGEST_DAMPING_GROWTH = 1e4;

  /**
   * Factors the moments; {@code h} and {@code p} are overwritten.
   *
   * @param h H̃ [in×in], symmetric
   * @param p P [in×in], or null
   * @param damping share of the mean diagonal added before the inverse is taken; grows tenfold for
   *     as long as the matrix is not positive definite
   * @param lambda λ as a share of the mean diagonal
   * @throws NotPositiveDefiniteException where no damping helps, as with NaN among the inputs
   */
  public static StageFactors of(
      int in, float[] h, float[] p, double damping, double lambda, Matmul matmul, Workers workers) {
    double mean = 0;
    for (int i = 0; i < in; i++) {
      mean += h[i * in + i] / in;
    }
    float[] importance = new float[in];
    for (int i = 0; i < in; i++) {
      importance[i] = mean > 0 ? (float) (h[i * in + i] / mean) : 1;
    }
    if (mean == 0) {
      // No input at all reached the stage: every rounding is as good, so take the nearest.
      for (int i = 0; i < in; i++) {
        h[i * in + i] = 1;
      }
    }
    if (p != null) {
      float[] l = h.clone();
      Cholesky.damp(l, in, lambda);
      Cholesky.lower(matmul, l, in, workers);
      Cholesky.solveRows(matmul, l, in, p, in, workers);
    }
    double added = damping;
    while (true) {
      float[] upper = h.clone();
      Cholesky.damp(upper, in, added);
      try {
        Cholesky.inverseUpper(matmul, upper, in, workers);
        return new StageFactors(in, upper, p, importance, added);
      } catch (NotPositiveDefiniteException e) {
        added *= 10;
        if (added > damping * LARGEST_DAMPING_GROWTH) {
          throw e;
        }
      }
    }
  }

  /**
   * The weights that on X̃ do most nearly what w does on X: w + α·w·P·(H̃ + λI)⁻¹ (QEP, arXiv
   * 2504.09629).
   *
   * @param w [rows×in], not changed
   */
  public float[] corrected(float[] w, int rows, double alpha, Matmul matmul, Workers workers) {
    float[] target = w.clone();
    if (correction != null && alpha != 0) {
      matmul.multiply(
          Op.AS_IS,
          Op.AS_IS,
          rows,
          in,
          in,
          (float) alpha,
          w,
          0,
          in,
          correction,
          0,
          in,
          1,
          target,
          0,
          in,
          workers);
    }
    return target;
  }
}
