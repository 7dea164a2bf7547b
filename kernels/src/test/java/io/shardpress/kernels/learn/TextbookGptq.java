package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Steps;

/**
 * GPTQ as the optimal brain surgeon has it, in f64: after each column, the inverse of what is left
 * of H is made by taking the column's row and column out, and the error spreads by its own row of
 * that inverse (arXiv 2210.17323, eq. 2 and 3). No Cholesky factor, no blocks, no tiles.
 */
final class TextbookGptq {
  /** [out×in] the weights as they stood when each was rounded. */
  final double[] compensated;

  /** [out×in] the weights as they stood when their group began. */
  final double[] atGroupStart;

  /**
   * @param h [in×in], already damped
   * @param steps those that the code under test chose; whether it chose well is another question
   */
  TextbookGptq(float[] weights, int out, int in, double[] h, Steps steps, int bits) {
    double[] w = new double[out * in];
    for (int i = 0; i < w.length; i++) {
      w[i] = weights[i];
    }
    compensated = new double[out * in];
    atGroupStart = new double[out * in];
    double[] inverse = Dense.inverse(h, in);
    int length = in / steps.groups();
    for (int i = 0; i < in; i++) {
      double pivot = inverse[i * in + i];
      for (int row = 0; row < out; row++) {
        int at = row * in;
        if (i % length == 0) {
          System.arraycopy(w, at + i, atGroupStart, at + i, length);
        }
        compensated[at + i] = w[at + i];
        int group = row * steps.groups() + i / length;
        double scale = steps.scales()[group];
        int zero = steps.zeros()[group];
        double code = Math.rint(w[at + i] / scale) + zero;
        double rounded = scale * (Math.min(Math.max(code, 0), (1 << bits) - 1) - zero);
        double error = (w[at + i] - rounded) / pivot;
        for (int j = i; j < in; j++) {
          w[at + j] -= error * inverse[i * in + j];
        }
      }
      for (int r = i + 1; r < in; r++) {
        double factor = inverse[r * in + i] / pivot;
        for (int j = i + 1; j < in; j++) {
          inverse[r * in + j] -= factor * inverse[i * in + j];
        }
      }
    }
  }
}
