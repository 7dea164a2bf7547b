package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.Arrays64;

/**
 * LRQ's Ŵ in f64 (arXiv 2407.11534, eq. 2 to 4) with what rounding did held fixed: Ŵ = exp(d)·(a +
 * ρ) where a code lies inside the clamp and exp(d)·bound where not, ρ = round(a) − a as it was at
 * the start. At the start that is Ŵ itself, and its derivatives are those of the straight-through
 * estimator.
 */
final class LrqOracle {
  private final double[] w;
  private final int out;
  private final int in;
  private final int rank;
  private final int groups;
  private final double[] residue;
  private final boolean[] inside;

  /** L, U, r, c, d. */
  final double[][] parameters = new double[5][];

  LrqOracle(float[] w, int out, int in, Steps steps, int bits, float[][] start) {
    this.w = Arrays64.of(w);
    this.out = out;
    this.in = in;
    this.rank = start[0].length / out;
    this.groups = steps.groups();
    for (int p = 0; p < 5; p++) {
      parameters[p] = Arrays64.of(start[p]);
    }
    residue = new double[out * in];
    inside = new boolean[out * in];
    int largest = (1 << bits) - 1;
    for (int i = 0; i < out * in; i++) {
      double a = shrunk(i) / Math.exp(step(i));
      int zero = steps.zeros()[i / (in / groups)];
      double code = Math.rint(a) + zero;
      inside[i] = code >= 0 && code <= largest;
      residue[i] = inside[i] ? Math.rint(a) - a : (code < 0 ? 0 : largest) - zero;
    }
  }

  double[] dequantized() {
    double[] result = new double[out * in];
    for (int i = 0; i < result.length; i++) {
      double scale = Math.exp(step(i));
      result[i] = scale * (inside[i] ? shrunk(i) / scale + residue[i] : residue[i]);
    }
    return result;
  }

  /** W·exp(−S) at an element, S = L·U + r + c. */
  double shrunk(int element) {
    int row = element / in;
    int column = element % in;
    double s = parameters[2][row] + parameters[3][column];
    for (int k = 0; k < rank; k++) {
      s += parameters[0][row * rank + k] * parameters[1][k * in + column];
    }
    return w[element] * Math.exp(-s);
  }

  private double step(int element) {
    return parameters[4][element / (in / groups)];
  }
}
