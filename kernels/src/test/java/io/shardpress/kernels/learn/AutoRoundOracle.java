package io.shardpress.kernels.learn;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * AutoRound's Ŵ in f64 (arXiv 2309.05516, section 3) with what rounding did held fixed, as in
 * {@link LrqOracle}: both the codes' rounding and, on asymmetric grids, the zero points'.
 */
final class AutoRoundOracle {
  private final double[] w;
  private final int length;
  private final boolean symmetric;
  private final int largest;
  private final double[] low;
  private final double[] high;
  private final double[] residue;
  private final double[] zeroResidue;
  private final int[] side;

  /** V, α, β. */
  final double[][] parameters = new double[3][];

  AutoRoundOracle(float[] weights, int in, WeightScheme scheme, float[][] start) {
    w = Arrays64.of(weights);
    length = scheme.groupSize() == 0 ? in : scheme.groupSize();
    symmetric = scheme.symmetric();
    largest = (1 << scheme.bits()) - 1;
    for (int p = 0; p < 3; p++) {
      parameters[p] = Arrays64.of(start[p]);
    }
    int groups = w.length / length;
    low = new double[groups];
    high = new double[groups];
    for (int i = 0; i < w.length; i++) {
      low[i / length] = Math.min(low[i / length], w[i]);
      high[i / length] = Math.max(high[i / length], w[i]);
    }
    zeroResidue = new double[groups];
    for (int g = 0; g < groups; g++) {
      double exact = zero(g);
      zeroResidue[g] = Math.rint(exact) - exact;
    }
    residue = new double[w.length];
    side = new int[w.length];
    for (int i = 0; i < w.length; i++) {
      double place = w[i] / scale(i / length) + parameters[0][i];
      double code = Math.rint(place) + zero(i / length);
      side[i] = Double.compare(code, Math.min(Math.max(code, 0), largest));
      residue[i] = Math.rint(place) - place;
    }
  }

  double scale(int g) {
    double least = low[g] * parameters[1][g];
    double most = high[g] * parameters[2][g];
    return (symmetric ? 2 * Math.max(-least, most) : most - least) / largest;
  }

  /** With the rounding that it had at the start. */
  double zero(int g) {
    return symmetric ? (largest + 1) / 2.0 : -low[g] * parameters[1][g] / scale(g) + zeroResidue[g];
  }

  double[] dequantized() {
    double[] result = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      int g = i / length;
      double place = w[i] / scale(g) + parameters[0][i] + residue[i];
      double q = side[i] == 0 ? place : (side[i] < 0 ? 0 : largest) - zero(g);
      result[i] = scale(g) * q;
    }
    return result;
  }
}
