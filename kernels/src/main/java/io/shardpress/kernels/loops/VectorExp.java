package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;

import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The one loop that takes e^x; the others bring their arguments here and go on from the results, a
 * chunk at a time.
 */
final class VectorExp {
  /** Elements that stay in the first cache between two loops over them. */
  static final int CHUNK = 1024;

  private VectorExp() {}

  /**
   * x[i] ← e^(x[i] − shift) in [from, to), where x[i] − shift is at most {@link
   * ExpPolynomial#LARGEST} or NaN; long enough that the JVM does not inline it, see {@link
   * Vectors}.
   */
  static void shifted(float[] x, int from, int to, float shift) {
    Objects.checkFromToIndex(from, to, x.length);
    FloatVector smallest = FloatVector.broadcast(F, ExpPolynomial.SMALLEST);
    FloatVector shifts = FloatVector.broadcast(F, shift);
    FloatVector log2e = FloatVector.broadcast(F, ExpPolynomial.LOG2_E);
    FloatVector rounder = FloatVector.broadcast(F, ROUNDER);
    FloatVector ln2High = FloatVector.broadcast(F, -ExpPolynomial.LN2_HIGH);
    FloatVector ln2Low = FloatVector.broadcast(F, -ExpPolynomial.LN2_LOW);
    FloatVector p5 = FloatVector.broadcast(F, ExpPolynomial.P5);
    FloatVector p4 = FloatVector.broadcast(F, ExpPolynomial.P4);
    FloatVector p3 = FloatVector.broadcast(F, ExpPolynomial.P3);
    FloatVector p2 = FloatVector.broadcast(F, ExpPolynomial.P2);
    FloatVector p1 = FloatVector.broadcast(F, ExpPolynomial.P1);
    FloatVector p0 = FloatVector.broadcast(F, ExpPolynomial.P0);
    FloatVector nothing = FloatVector.broadcast(F, ExpPolynomial.NOTHING);
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector y = FloatVector.fromArray(F, x, i).sub(shifts).max(smallest);
      FloatVector shifted = y.fma(log2e, rounder);
      FloatVector n = shifted.sub(rounder);
      FloatVector r = n.fma(ln2Low, n.fma(ln2High, y));
      FloatVector p = r.fma(p5, p4);
      p = p.fma(r, p3);
      p = p.fma(r, p2);
      p = p.fma(r, p1);
      p = p.fma(r, p0);
      p = p.fma(r.mul(r), r).add(1);
      IntVector exponent =
          shifted
              .reinterpretAsInts()
              .add(ExpPolynomial.TO_EXPONENT)
              .lanewise(VectorOperators.LSHL, ExpPolynomial.MANTISSA_BITS);
      p.mul(exponent.reinterpretAsFloats()).sub(nothing).intoArray(x, i);
    }
    for (; i < to; i++) {
      x[i] = ExpPolynomial.of(x[i] - shift);
    }
  }
}
