package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;

import io.shardpress.kernels.matmul.VectorWidth;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops on vectors. Products and sums are not fused, so that every element is the oracle's to
 * the bit; what is left over of a run that is no multiple of the lanes goes through the oracle.
 * Sums end in the order of the lanes, never in a reduction, whose order the JVM may choose.
 */
final class VectorLoops implements Loops {
  // Static, since the JVM compiles vectors only where their species is a constant.
  private static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.chosen()));
  private static final int LANES = F.length();

  private final ScalarLoops scalar = new ScalarLoops();

  @Override
  public String name() {
    return "vector-" + F.vectorBitSize();
  }

  private static FloatVector exp(FloatVector x) {
    FloatVector y = x.max(ExpPolynomial.SMALLEST).min(ExpPolynomial.LARGEST);
    FloatVector shifted = y.mul(ExpPolynomial.LOG2_E).add(ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = y.sub(n.mul(ExpPolynomial.LN2_HIGH)).sub(n.mul(ExpPolynomial.LN2_LOW));
    FloatVector p = r.mul(ExpPolynomial.P5).add(ExpPolynomial.P4);
    p = p.mul(r).add(ExpPolynomial.P3);
    p = p.mul(r).add(ExpPolynomial.P2);
    p = p.mul(r).add(ExpPolynomial.P1);
    p = p.mul(r).add(ExpPolynomial.P0);
    p = p.mul(r.mul(r)).add(r).add(1);
    IntVector exponent =
        shifted
            .reinterpretAsInts()
            .add(ExpPolynomial.TO_EXPONENT)
            .lanewise(VectorOperators.LSHL, ExpPolynomial.MANTISSA_BITS);
    return p.mul(exponent.reinterpretAsFloats());
  }

  private static float sum(FloatVector lanes) {
    // Through an array: lane(i) with a variable i is not compiled to an instruction.
    float[] each = new float[LANES];
    lanes.intoArray(each, 0);
    float sum = 0;
    for (float lane : each) {
      sum += lane;
    }
    return sum;
  }

  @Override
  public float expShifted(float[] x, int from, int to, float shift) {
    FloatVector sums = FloatVector.zero(F);
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector e = exp(FloatVector.fromArray(F, x, i).sub(shift));
      e.intoArray(x, i);
      sums = sums.add(e);
    }
    return sum(sums) + scalar.expShifted(x, i, to, shift);
  }

  @Override
  public float max(float[] x, int from, int to) {
    FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      largest = largest.max(FloatVector.fromArray(F, x, i));
    }
    return Math.max(largest.reduceLanes(VectorOperators.MAX), scalar.max(x, i, to));
  }

  private static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(F, 1).div(exp(x.neg()).add(1));
  }

  @Override
  public void swiGlu(float[] gate, float[] up, float[] y, int from, int to) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, gate, i);
      x.mul(sigmoid(x)).mul(FloatVector.fromArray(F, up, i)).intoArray(y, i);
    }
    scalar.swiGlu(gate, up, y, i, to);
  }

  @Override
  public void swiGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to) {
    int i = from;
    FloatVector one = FloatVector.broadcast(F, 1);
    for (; i <= to - LANES; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, gate, i);
      FloatVector u = FloatVector.fromArray(F, up, i);
      FloatVector d = FloatVector.fromArray(F, dy, i);
      FloatVector s = sigmoid(x);
      d.mul(u).mul(s).mul(x.mul(one.sub(s)).add(1)).intoArray(dgate, i);
      d.mul(x.mul(s)).intoArray(dup, i);
    }
    scalar.swiGluBackward(gate, up, dy, dgate, dup, i, to);
  }

  @Override
  public void addScaled(float a, float[] x, int xAt, float[] y, int yAt, int length) {
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector.fromArray(F, x, xAt + i)
          .mul(a)
          .add(FloatVector.fromArray(F, y, yAt + i))
          .intoArray(y, yAt + i);
    }
    scalar.addScaled(a, x, xAt + i, y, yAt + i, length - i);
  }

  @Override
  public void scale(float a, float[] x, int from, int to) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector.fromArray(F, x, i).mul(a).intoArray(x, i);
    }
    scalar.scale(a, x, i, to);
  }

  @Override
  public float dot(float[] x, int xAt, float[] y, int yAt, int length) {
    // Two sums, since one would wait for itself.
    FloatVector even = FloatVector.zero(F);
    FloatVector odd = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - 2 * LANES; i += 2 * LANES) {
      even =
          even.add(FloatVector.fromArray(F, x, xAt + i).mul(FloatVector.fromArray(F, y, yAt + i)));
      odd =
          odd.add(
              FloatVector.fromArray(F, x, xAt + i + LANES)
                  .mul(FloatVector.fromArray(F, y, yAt + i + LANES)));
    }
    return sum(even.add(odd)) + scalar.dot(x, xAt + i, y, yAt + i, length - i);
  }

  @Override
  public void scaledProduct(
      float[] w, float a, float[] x, int xAt, float[] y, int yAt, int length) {
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector.fromArray(F, x, xAt + i)
          .mul(a)
          .mul(FloatVector.fromArray(F, w, i))
          .intoArray(y, yAt + i);
    }
    for (; i < length; i++) {
      y[yAt + i] = w[i] * (a * x[xAt + i]);
    }
  }

  @Override
  public void softmaxGradient(float[] p, float[] ds, int at, int length, float pull, float scale) {
    int i = at;
    for (; i <= at + length - LANES; i += LANES) {
      FloatVector.fromArray(F, ds, i)
          .sub(pull)
          .mul(FloatVector.fromArray(F, p, i))
          .mul(scale)
          .intoArray(ds, i);
    }
    scalar.softmaxGradient(p, ds, i, at + length - i, pull, scale);
  }

  @Override
  public void rotate(
      float[] x, int at, float[] cos, float[] sin, int angles, int half, float sign) {
    int i = 0;
    for (; i <= half - LANES; i += LANES) {
      FloatVector c = FloatVector.fromArray(F, cos, angles + i);
      FloatVector s = FloatVector.fromArray(F, sin, angles + i).mul(sign);
      FloatVector first = FloatVector.fromArray(F, x, at + i);
      FloatVector second = FloatVector.fromArray(F, x, at + half + i);
      first.mul(c).sub(second.mul(s)).intoArray(x, at + i);
      second.mul(c).add(first.mul(s)).intoArray(x, at + half + i);
    }
    for (; i < half; i++) {
      float c = cos[angles + i];
      float s = sign * sin[angles + i];
      float first = x[at + i];
      float second = x[at + half + i];
      x[at + i] = first * c - second * s;
      x[at + half + i] = second * c + first * s;
    }
  }

  @Override
  public void lrqShrink(float[] w, float[] s, int at, float r, float[] c, int length) {
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector shift =
          FloatVector.fromArray(F, s, at + i).add(r).add(FloatVector.fromArray(F, c, i));
      FloatVector.fromArray(F, w, at + i).mul(exp(shift.neg())).intoArray(s, at + i);
    }
    for (; i < length; i++) {
      s[at + i] = w[at + i] * ExpPolynomial.of(-(s[at + i] + r + c[i]));
    }
  }

  private static FloatVector rounded(FloatVector v, float inverse, float zero, float largest) {
    return v.mul(inverse).max(-zero - 1).min(largest - zero + 1).add(ROUNDER).sub(ROUNDER);
  }

  @Override
  public void fakeQuantize(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest) {
    float inverse = 1 / scale;
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      rounded(FloatVector.fromArray(F, v, at + i), inverse, zero, largest)
          .max(-zero)
          .min(largest - zero)
          .mul(scale)
          .intoArray(quantized, at + i);
    }
    scalar.fakeQuantize(v, quantized, at + i, length - i, scale, zero, largest);
  }

  @Override
  public void lrqGradients(
      float[] g,
      float[] v,
      float[] quantized,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] columns,
      int columnsAt,
      float[] sums) {
    float inverse = 1 / scale;
    FloatVector step = FloatVector.zero(F);
    FloatVector row = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, v, at + i);
      FloatVector rounded = rounded(value, inverse, zero, largest);
      VectorMask<Float> inside =
          rounded
              .compare(VectorOperators.GE, -zero)
              .and(rounded.compare(VectorOperators.LE, largest - zero));
      FloatVector passed = FloatVector.zero(F).blend(value, inside);
      FloatVector gradient = FloatVector.fromArray(F, g, at + i);
      FloatVector dS = gradient.neg().mul(passed);
      step = step.add(gradient.mul(FloatVector.fromArray(F, quantized, at + i).sub(passed)));
      row = row.add(dS);
      FloatVector.fromArray(F, columns, columnsAt + i).add(dS).intoArray(columns, columnsAt + i);
      dS.intoArray(v, at + i);
    }
    scalar.lrqGradients(
        g, v, quantized, at + i, length - i, scale, zero, largest, columns, columnsAt + i, sums);
    sums[0] = sum(step) + sums[0];
    sums[1] = sum(row) + sums[1];
  }

  @Override
  public void adam(
      float[] p, float[] g, float[] m, float[] u, int from, int to, float rate, float epsilon) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector gradient = FloatVector.fromArray(F, g, i);
      FloatVector mean =
          FloatVector.fromArray(F, m, i)
              .mul(AdamConstants.BETA_1)
              .add(gradient.mul(AdamConstants.REST_1));
      FloatVector square =
          FloatVector.fromArray(F, u, i)
              .mul(AdamConstants.BETA_2)
              .add(gradient.mul(AdamConstants.REST_2).mul(gradient));
      mean.intoArray(m, i);
      square.intoArray(u, i);
      FloatVector.fromArray(F, p, i)
          .sub(mean.mul(rate).div(square.sqrt().add(epsilon)))
          .intoArray(p, i);
    }
    scalar.adam(p, g, m, u, i, to, rate, epsilon);
  }

  @Override
  public float squaredError(
      float[] w,
      int at,
      int length,
      float[] importance,
      int importanceAt,
      float scale,
      float zero,
      float largest) {
    float inverse = 1 / scale;
    FloatVector sums = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector e =
          value.sub(
              rounded(value, inverse, zero, largest).max(-zero).min(largest - zero).mul(scale));
      FloatVector square = e.mul(e);
      sums =
          sums.add(
              importance == null
                  ? square
                  : square.mul(FloatVector.fromArray(F, importance, importanceAt + i)));
    }
    return sum(sums)
        + scalar.squaredError(
            w, at + i, length - i, importance, importanceAt + i, scale, zero, largest);
  }
}
