package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/**
 * The squared output error of a linear over all its calibration inputs, from their second moments
 * alone: with E = Ŵ − W and h the mean of diag(H), f(Ŵ) = tr(E·H·Eᵀ)/h and ∂f/∂Ŵ = 2·E·H/h. The
 * division makes values and learning rates the same for any number and size of inputs. Rows do not
 * depend on one another: f is a sum over them.
 */
final class LayerObjective {
  private final float[] target;
  private final int out;
  private final int in;
  private final float[] h;
  private final float factor;
  private final Matmul matmul;
  private final float[] error;
  private final float[] gradient;

  /**
   * @param target W [out×in]; kept, not copied
   * @param h H [in×in], symmetric; kept, not copied
   */
  LayerObjective(float[] target, int out, int in, float[] h, Matmul matmul) {
    this.target = target;
    this.out = out;
    this.in = in;
    this.h = h;
    this.matmul = matmul;
    double mean = 0;
    for (int i = 0; i < in; i++) {
      mean += (double) h[i * in + i] / in;
    }
    factor = mean > 0 ? (float) (2 / mean) : 0;
    error = new float[out * in];
    gradient = new float[out * in];
  }

  /** ∂f/∂Ŵ [out×in]; the array is this object's own, and the next call writes it anew. */
  float[] gradient(float[] quantized, Workers workers) {
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int i = row * in; i < (row + 1) * in; i++) {
            error[i] = quantized[i] - target[i];
          }
        });
    matmul.multiply(
        Op.AS_IS, Op.AS_IS, out, in, in, factor, error, 0, in, h, 0, in, 0, gradient, 0, in,
        workers);
    return gradient;
  }

  /** Each row's part of f. */
  double[] rows(float[] quantized, Workers workers) {
    gradient(quantized, workers);
    double[] rows = new double[out];
    RowTiles.forEach(
        out,
        workers,
        row -> {
          double sum = 0;
          for (int i = row * in; i < (row + 1) * in; i++) {
            sum += (double) error[i] * gradient[i];
          }
          rows[row] = sum / 2;
        });
    return rows;
  }
}
