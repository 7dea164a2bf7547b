package io.shardpress.kernels.learn;

import io.shardpress.kernels.linalg.Cholesky;
import io.shardpress.kernels.linalg.NotPositiveDefiniteException;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * What all linears of a stage share, made from the second moments of their inputs: with X the
 * full-precision inputs and X̃ those behind the quantized layers, H̃ = X̃ᵀX̃, and P or D as {@link
 * Correction} says.
 *
 * @param in inputs of the linears
 * @param inverseUpper U [in×in], (H̃ + damping)⁻¹ = Uᵀ·U, for GPTQ
 * @param kind what targets are corrected for
 * @param correction P·(H̃ + λI)⁻¹ [in×in] or D·(H̃ + λI)⁻¹ [out×in], or null where they are not
 * @param importance diag(H̃) over its mean [in]
 * @param damping what was added to H̃'s diagonal, as a share of its mean
 */
public record StageFactors(
    int in,
    float[] inverseUpper,
    Correction kind,
    float[] correction,
    float[] importance,
    double damping) {
  // Shares of the mean diagonal: what growing starts from where none was asked for, and where it
  // ends, as beyond it the statistics themselves are broken.
  private static final double FIRST_DAMPING = 1e-6;
  private static final double LARGEST_DAMPING_GROWTH = 1e4;

  /**
   * The widest input of a linear whose second moments [in×in] are held here: 46,340² is the largest
   * square below 2³¹, the elements of an array. A plan asks for it, so that what is wider is
   * refused before anything is computed.
   */
  public static final int MOST_INPUTS = 46_340;

  /** As below, with targets that are corrected for their inputs where p is not null. */
  public static StageFactors of(
      int in, float[] h, float[] p, double damping, double lambda, Matmul matmul, Workers workers) {
    Correction kind = p == null ? Correction.NONE : Correction.INPUTS;
    return of(in, h, kind, p, damping, lambda, matmul, workers);
  }

  /**
   * Factors the moments; {@code h} and {@code p} are overwritten.
   *
   * @param h H̃ [in×in], symmetric
   * @param p P [in×in] or D [out×in], as {@code kind} says, or null
   * @param damping share of the mean diagonal added before the inverse is taken; grows tenfold for
   *     as long as the matrix is not positive definite
   * @param lambda λ as a share of the mean diagonal; grows likewise
   * @throws IllegalArgumentException where {@code in} is above {@link #MOST_INPUTS}
   * @throws NotPositiveDefiniteException where no damping helps, as with NaN among the inputs
   * @throws ArithmeticException where the correction is not finite
   */
  public static StageFactors of(
      int in,
      float[] h,
      Correction kind,
      float[] p,
      double damping,
      double lambda,
      Matmul matmul,
      Workers workers) {
    checkInputs(in);
    double mean = meanDiagonal(in, h);
    float[] importance = importance(in, h);
    if (mean == 0) {
      forNoInput(in, h);
    }
    if (p != null) {
      float[] l = h.clone();
      factor(in, h, l, lambda, () -> Cholesky.lower(matmul, l, in, workers));
      Cholesky.solveRows(matmul, l, in, p, p.length / in, workers);
      checkFinite(p, in);
    }
    float[] upper = h.clone();
    double added =
        factor(in, h, upper, damping, () -> Cholesky.inverseUpper(matmul, upper, in, workers));
    return new StageFactors(in, upper, kind, p, importance, added);
  }

  /** Makes of H̃ [in×in] what was inverted: the weights of errors that GPTQ goes by. */
  public void damp(float[] h) {
    if (meanDiagonal(in, h) == 0) {
      forNoInput(in, h);
    }
    Cholesky.damp(h, in, damping);
  }

  // No input at all reached the stage: every rounding is as good, so take the nearest.
  private static void forNoInput(int in, float[] h) {
    for (int i = 0; i < in; i++) {
      h[i * in + i] = 1;
    }
  }

  /** diag(H) over its mean [in]; 1 for each where that is not above 0. */
  static float[] importance(int in, float[] h) {
    double mean = meanDiagonal(in, h);
    float[] importance = new float[in];
    for (int i = 0; i < in; i++) {
      importance[i] = mean > 0 ? (float) (h[i * in + i] / mean) : 1;
    }
    return importance;
  }

  private static double meanDiagonal(int in, float[] h) {
    double mean = 0;
    for (int i = 0; i < in; i++) {
      mean += h[i * in + i] / in;
    }
    return mean;
  }

  /**
   * @throws IllegalArgumentException where the second moments of so many inputs fit in no array
   */
  static void checkInputs(int in) {
    if (in > MOST_INPUTS) {
      throw new IllegalArgumentException(
          "the linear has in = "
              + in
              + " inputs, and their second moments, in², do not fit in one array: wanted at most "
              + MOST_INPUTS
              + "; add the linear to ignore, or quantize it with the algorithm rtn");
    }
  }

  private static void checkFinite(float[] correction, int in) {
    for (int i = 0; i < correction.length; i++) {
      if (!Float.isFinite(correction[i])) {
        throw new ArithmeticException(
            String.format(
                Locale.ROOT,
                "the %d×%d correction of the targets holds %s at row %d, column %d; raise its damping, or look for NaN in the statistics",
                correction.length / in,
                in,
                correction[i],
                i / in,
                i % in));
      }
    }
  }

  // Runs factorization on h + damping in the array work, with more damping until it succeeds.
  private static double factor(
      int in, float[] h, float[] work, double damping, Runnable factorization) {
    double added = damping;
    while (true) {
      Cholesky.damp(work, in, added);
      try {
        factorization.run();
        return added;
      } catch (NotPositiveDefiniteException e) {
        added = Math.max(added * 10, FIRST_DAMPING);
        if (added > Math.max(damping, FIRST_DAMPING) * LARGEST_DAMPING_GROWTH) {
          throw e;
        }
        System.arraycopy(h, 0, work, 0, work.length);
      }
    }
  }

  /**
   * The weights that on X̃ do most nearly what is wanted of w: w + α·w·P·(H̃ + λI)⁻¹, or w +
   * α·D·(H̃ + λI)⁻¹, which is the same where the residual stream has no error.
   *
   * @param w [rows×in], not changed: the linear's rows from {@code first} on
   */
  public float[] corrected(
      float[] w, int first, int rows, double alpha, Matmul matmul, Workers workers) {
    float[] target = w.clone();
    if (kind == Correction.NONE || alpha == 0) {
      return target;
    }
    if (kind == Correction.OUTPUTS) {
      for (int i = 0; i < rows * in; i++) {
        target[i] += (float) alpha * correction[first * in + i];
      }
      return target;
    }
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
    return target;
  }
}
