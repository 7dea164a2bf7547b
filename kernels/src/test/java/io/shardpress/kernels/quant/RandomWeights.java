package io.shardpress.kernels.quant;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Weights and schemes over which properties must hold. */
final class RandomWeights {
  private RandomWeights() {}

  /** Every width, symmetry and grouping of rows of 96. */
  static List<WeightScheme> schemes() {
    List<WeightScheme> all = new ArrayList<>();
    for (int bits : new int[] {2, 3, 4, 8}) {
      for (boolean symmetric : new boolean[] {true, false}) {
        for (int group : new int[] {0, 1, 16, 32, 96}) {
          all.add(new WeightScheme(bits, symmetric, group));
        }
      }
    }
    return all;
  }

  /**
   * Rows of the kinds that give trouble: normal, all zero, constant of either sign, of one sign,
   * one outlier, tiny, huge, shifted.
   */
  static float[] rows(int rows, int in, Random random) {
    float[] w = Arrays64.gaussian(random, rows * in, 0.05);
    for (int row = 0; row < rows; row++) {
      for (int i = row * in; i < (row + 1) * in; i++) {
        w[i] =
            switch (row % 10) {
              case 1 -> 0;
              case 2 -> 0.37f;
              case 3 -> -0.37f;
              case 4 -> Math.abs(w[i]);
              case 5 -> -Math.abs(w[i]);
              case 6 -> i % in == 7 ? 5 : w[i];
              case 7 -> w[i] * 1e-4f;
              case 8 -> w[i] * 1e4f;
              case 9 -> w[i] + 1;
              default -> w[i];
            };
      }
    }
    return w;
  }
}
