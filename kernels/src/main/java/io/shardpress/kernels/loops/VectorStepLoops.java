package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.VectorQuantizationLoops.rounded;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;
import static io.shardpress.kernels.loops.Vectors.sumOfLanes;

import jdk.incubator.vector.FloatVector;

/** The steps' loops on vectors; {@link Vectors} says what they keep to. */
final class VectorStepLoops implements StepLoops {
  private final ScalarStepLoops scalar = new ScalarStepLoops();

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
    FloatVector products = FloatVector.zero(F);
    FloatVector squares = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector q = rounded(value, inverse, zero, largest).max(-zero).min(largest - zero);
      FloatVector weighted =
          importance == null ? q : q.mul(FloatVector.fromArray(F, importance, importanceAt + i));
      products = weighted.mul(value).add(products);
      squares = weighted.mul(q).add(squares);
    }
    scalar.stepSums(
        w, at + i, length - i, importance, importanceAt + i, scale, zero, largest, sums);
    sums[0] = sumOfLanes(products) + sums[0];
    sums[1] = sumOfLanes(squares) + sums[1];
  }

  @Override
  public void roundTrip(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest) {
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector.fromArray(F, v, at + i)
          .div(scale)
          .max(-zero - 1)
          .min(largest - zero + 1)
          .add(ROUNDER)
          .sub(ROUNDER)
          .max(-zero)
          .min(largest - zero)
          .mul(scale)
          .intoArray(quantized, at + i);
    }
    scalar.roundTrip(v, quantized, at + i, length - i, scale, zero, largest);
  }
}
