package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ScalarTanhLoops.CUBIC;
import static io.shardpress.kernels.loops.ScalarTanhLoops.SLOPE;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;

import jdk.incubator.vector.FloatVector;

/** The loops of tanh on vectors; {@link Vectors} says what they keep to. */
final class VectorTanhLoops implements TanhLoops {
  private final ScalarTanhLoops scalar = new ScalarTanhLoops();

  @Override
  public void geGlu(float[] gate, float[] up, float[] y, int from, int to) {
    for (int start = from; start < to; start += VectorExp.CHUNK) {
      int end = Math.min(to, start + VectorExp.CHUNK);
      expOfMinus(gate, y, start, end);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector sigmoid =
            FloatVector.broadcast(F, 1).div(FloatVector.fromArray(F, y, i).add(1));
        FloatVector.fromArray(F, gate, i)
            .mul(sigmoid)
            .mul(FloatVector.fromArray(F, up, i))
            .intoArray(y, i);
      }
      scalar.geGlu(gate, up, y, i, end);
    }
  }

  @Override
  public void geGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to) {
    for (int start = from; start < to; start += VectorExp.CHUNK) {
      int end = Math.min(to, start + VectorExp.CHUNK);
      expOfMinus(gate, dgate, start, end);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector one = FloatVector.broadcast(F, 1);
        FloatVector s = one.div(FloatVector.fromArray(F, dgate, i).add(1));
        FloatVector x = FloatVector.fromArray(F, gate, i);
        FloatVector u = FloatVector.fromArray(F, up, i);
        FloatVector d = FloatVector.fromArray(F, dy, i);
        FloatVector inner = x.mul(x).mul(3 * CUBIC).add(SLOPE);
        d.mul(u).mul(s).mul(x.mul(one.sub(s)).mul(inner).add(1)).intoArray(dgate, i);
        d.mul(x.mul(s)).intoArray(dup, i);
      }
      scalar.geGluBackward(gate, up, dy, dgate, dup, i, end);
    }
  }

  /** y ← e^−(x·(SLOPE + CUBIC·x²)) in [from, to). */
  private static void expOfMinus(float[] x, float[] y, int from, int to) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F, x, i);
      v.mul(v.mul(v).mul(CUBIC).add(SLOPE)).neg().min(ExpPolynomial.LARGEST).intoArray(y, i);
    }
    for (; i < to; i++) {
      y[i] = -(x[i] * (x[i] * x[i] * CUBIC + SLOPE));
    }
    VectorExp.shifted(y, from, to, 0);
  }

  @Override
  public void softCap(float[] x, int from, int to, float cap) {
    float inverse = -2 / cap;
    for (int start = from; start < to; start += VectorExp.CHUNK) {
      int end = Math.min(to, start + VectorExp.CHUNK);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector.fromArray(F, x, i).mul(inverse).min(ExpPolynomial.LARGEST).intoArray(x, i);
      }
      for (; i < end; i++) {
        x[i] = Math.min(x[i] * inverse, ExpPolynomial.LARGEST);
      }
      VectorExp.shifted(x, start, end, 0);
      i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector s = FloatVector.broadcast(F, 1).div(FloatVector.fromArray(F, x, i).add(1));
        s.mul(2).sub(1).mul(cap).intoArray(x, i);
      }
      for (; i < end; i++) {
        x[i] = cap * (2 * (1 / (1 + x[i])) - 1);
      }
    }
  }

  @Override
  public void softCapGradient(float[] y, int yAt, float[] dx, int dxAt, int length, float cap) {
    float inverse = 1 / cap;
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector t = FloatVector.fromArray(F, y, yAt + i).mul(inverse);
      FloatVector.fromArray(F, dx, dxAt + i)
          .mul(FloatVector.broadcast(F, 1).sub(t.mul(t)))
          .intoArray(dx, dxAt + i);
    }
    scalar.softCapGradient(y, yAt + i, dx, dxAt + i, length - i, cap);
  }
}
