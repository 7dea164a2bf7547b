package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;
import static io.shardpress.kernels.loops.Vectors.sumOfLanes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** AutoRound's loops on vectors; {@link Vectors} says what they keep to. */
final class VectorAutoRoundLoops implements AutoRoundLoops {
  private final ScalarAutoRoundLoops scalar = new ScalarAutoRoundLoops();

  private static FloatVector rounded(FloatVector place, float zero, float largest) {
    return place.max(-zero - 1).min(largest - zero + 1).add(ROUNDER).sub(ROUNDER);
  }

  @Override
  public void fakeQuantize(
      float[] w,
      float[] v,
      float[] quantized,
      int at,
      int length,
      float scale,
      float zero,
      float largest) {
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector place =
          FloatVector.fromArray(F, w, i).div(scale).add(FloatVector.fromArray(F, v, i));
      rounded(place, zero, largest)
          .max(-zero)
          .min(largest - zero)
          .mul(scale)
          .intoArray(quantized, i);
    }
    scalar.fakeQuantize(w, v, quantized, i, at + length - i, scale, zero, largest);
  }

  @Override
  public void gradients(
      float[] g,
      float[] w,
      float[] v,
      float[] dv,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] sums) {
    FloatVector scales = FloatVector.zero(F);
    FloatVector zeros = FloatVector.zero(F);
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector place = FloatVector.fromArray(F, w, i).div(scale);
      FloatVector rounded = rounded(place.add(FloatVector.fromArray(F, v, i)), zero, largest);
      FloatVector code = rounded.max(-zero).min(largest - zero);
      VectorMask<Float> inside = rounded.compare(VectorOperators.EQ, code);
      FloatVector gradient = FloatVector.fromArray(F, g, i);
      FloatVector passed = FloatVector.zero(F).blend(gradient, inside);
      scales = gradient.mul(code.sub(FloatVector.zero(F).blend(place, inside))).add(scales);
      zeros = gradient.sub(passed).add(zeros);
      passed.mul(scale).intoArray(dv, i);
    }
    scalar.gradients(g, w, v, dv, i, at + length - i, scale, zero, largest, sums);
    sums[0] = sumOfLanes(scales) + sums[0];
    sums[1] = sumOfLanes(zeros) + sums[1];
  }

  @Override
  public void signStep(
      float[] p, float[] g, int from, int to, float rate, float least, float most) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector before = FloatVector.fromArray(F, p, i);
      FloatVector gradient = FloatVector.fromArray(F, g, i);
      before
          .blend(before.sub(rate), gradient.compare(VectorOperators.GT, 0))
          .blend(before.add(rate), gradient.compare(VectorOperators.LT, 0))
          .max(least)
          .min(most)
          .intoArray(p, i);
    }
    scalar.signStep(p, g, i, to, rate, least, most);
  }
}
