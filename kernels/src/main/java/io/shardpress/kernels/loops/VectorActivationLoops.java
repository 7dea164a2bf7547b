package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ScalarActivationLoops.EXPONENT;
import static io.shardpress.kernels.loops.ScalarActivationLoops.LARGEST;
import static io.shardpress.kernels.loops.ScalarActivationLoops.SMALLEST_NORMAL;
import static io.shardpress.kernels.loops.ScalarActivationLoops.THREE_BITS;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;
import static io.shardpress.kernels.loops.Vectors.lanes;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** The activations' loops on vectors; {@link Vectors} says what they keep to. */
final class VectorActivationLoops implements ActivationLoops {
  private final ScalarActivationLoops scalar = new ScalarActivationLoops();

  @Override
  public void range(float[] x, int at, int length, float[] range) {
    float[] lanes = lanes(Float.POSITIVE_INFINITY);
    Arrays.fill(lanes, LANES, 2 * LANES, Float.NEGATIVE_INFINITY);
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, x, i);
      value.min(FloatVector.fromArray(F, lanes, 0)).intoArray(lanes, 0);
      value.max(FloatVector.fromArray(F, lanes, LANES)).intoArray(lanes, LANES);
    }
    scalar.range(x, i, at + length - i, range);
    for (int lane = 0; lane < LANES; lane++) {
      range[0] = Math.min(range[0], lanes[lane]);
      range[1] = Math.max(range[1], lanes[LANES + lane]);
    }
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
