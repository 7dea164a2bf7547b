package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ScalarActivationLoops.EXPONENT;
import static io.shardpress.kernels.loops.ScalarActivationLoops.LARGEST;
import static io.shardpress.kernels.loops.ScalarActivationLoops.SMALLEST_NORMAL;
import static io.shardpress.kernels.loops.ScalarActivationLoops.THREE_BITS;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The activations' loops on vectors; {@link Vectors} says what they keep to. */
final class VectorActivationLoops implements ActivationLoops {
  private final ScalarActivationLoops scalar = new ScalarActivationLoops();

  @Override
  public void range(float[] x, int at, int length, float[] range) {
    FloatVector least = FloatVector.broadcast(F, Float.POSITIVE_INFINITY);
    FloatVector most = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, x, i);
      least = value.min(least);
      most = value.max(most);
    }
    scalar.range(x, i, at + length - i, range);
    range[0] = Math.min(range[0], least.reduceLanes(VectorOperators.MIN));
    range[1] = Math.max(range[1], most.reduceLanes(VectorOperators.MAX));
  }

  @Override
  public void fakeQuantizeE4m3(float[] x, float[] quantized, int at, int length, float scale) {
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector bounded = FloatVector.fromArray(F, x, i).div(scale).max(-LARGEST).min(LARGEST);
      FloatVector rounder =
          bounded
              .reinterpretAsInts()
              .and(EXPONENT)
              .reinterpretAsFloats()
              .max(SMALLEST_NORMAL)
              .mul(THREE_BITS);
      bounded.add(rounder).sub(rounder).mul(scale).intoArray(quantized, i);
    }
    scalar.fakeQuantizeE4m3(x, quantized, i, at + length - i, scale);
  }
}
