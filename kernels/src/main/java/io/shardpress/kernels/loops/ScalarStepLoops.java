package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.ScalarQuantizationLoops.clamp;
import static io.shardpress.kernels.loops.ScalarQuantizationLoops.rounded;

/** The definition of every loop. */
final class ScalarStepLoops implements StepLoops {
  @Override
  public void stepSums(
      float[] w,
      int at,
      int length,
      float[] importance,
      int importanceAt,
      float scale,
      float zero,
      float largest,
      float[] sums) {
    float inverse = 1 / scale;
    float products = 0;
    float squares = 0;
    for (int i = 0; i < length; i++) {
      float q = clamp(rounded(w[at + i], inverse, zero, largest), zero, largest);
      float weighted = importance == null ? q : q * importance[importanceAt + i];
      products += weighted * w[at + i];
      squares += weighted * q;
    }
    sums[0] = products;
    sums[1] = squares;
  }

  @Override
  public void roundTrip(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest) {
    for (int i = at; i < at + length; i++) {
      float bounded = Math.min(Math.max(v[i] / scale, -zero - 1), largest - zero + 1);
      quantized[i] = scale * clamp((bounded + ROUNDER) - ROUNDER, zero, largest);
    }
  }
}
