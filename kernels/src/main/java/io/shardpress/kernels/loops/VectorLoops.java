package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;

import io.shardpress.kernels.matmul.VectorWidth;
import java.util.Arrays;
import java.util.Objects;
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
 *
 * <p>Vectors are registers only where the JVM compiles a loop whole. When a method's graph reaches
 * its limit (NodeCountInliningCutoff, in JDK 17 about 25 operations on vectors, the callers' own
 * among them), what follows is compiled as if types were not known, and vectors become objects, at
 * a tenth of the speed. So no method takes or gives vectors but the small {@code rounded}; a sum
 * lies in an array of lanes from round to round, as a variable that lives through the loop is the
 * first to be affected; and the largest loop is above the size that is inlined into callers
 * (FreqInlineSize, 325 bytecodes). {@code -XX:+PrintInlining} tells where it went wrong: "store
 * failed to inline".
 */
final class VectorLoops implements Loops {
  // Static, since the JVM compiles vectors only where their species is a constant.
  private static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.chosen()));
  private static final int LANES = F.length();
  private static final VectorSpecies<Integer> I =
      VectorSpecies.of(int.class, VectorShape.forBitSize(VectorWidth.chosen()));

  // Elements that stay in the first cache between two loops over them.
  private static final int CHUNK = 1024;

  // Two vectors of sums for each thread, so that no loop allocates.
  private static final ThreadLocal<float[]> LANE_SUMS =
      ThreadLocal.withInitial(() -> new float[2 * LANES]);

  private final ScalarLoops scalar = new ScalarLoops();

  @Override
  public String name() {
    return "vector-" + F.vectorBitSize();
  }

  private static float[] zeroLanes() {
    float[] lanes = LANE_SUMS.get();
    Arrays.fill(lanes, 0);
    return lanes;
  }

  /** The sum of a vector's lanes, which lie at {@code at}: four sums, and they in turn. */
  private static float sumOfLanes(float[] lanes, int at) {
    float first = 0;
    float second = 0;
    float third = 0;
    float fourth = 0;
    for (int i = at; i < at + LANES; i += 4) {
      first += lanes[i];
      second += lanes[i + 1];
      third += lanes[i + 2];
      fourth += lanes[i + 3];
    }
    return (first + second) + (third + fourth);
  }

  private float sum(float[] x, int from, int to) {
    float[] lanes = zeroLanes();
    int i = from;
    for (; i <= to - 4 * LANES; i += 4 * LANES) {
      FloatVector.fromArray(F, x, i)
          .add(FloatVector.fromArray(F, x, i + LANES))
          .add(
              FloatVector.fromArray(F, x, i + 2 * LANES)
                  .add(FloatVector.fromArray(F, x, i + 3 * LANES)))
          .add(FloatVector.fromArray(F, lanes, 0))
          .intoArray(lanes, 0);
    }
    for (; i <= to - LANES; i += LANES) {
      FloatVector.fromArray(F, x, i).add(FloatVector.fromArray(F, lanes, 0)).intoArray(lanes, 0);
    }
    float sum = sumOfLanes(lanes, 0);
    for (; i < to; i++) {
      sum += x[i];
    }
    return sum;
  }

  @Override
  public float expShifted(float[] x, int from, int to, float shift) {
    exp(x, from, to, shift);
    return sum(x, from, to);
  }

  // The one loop that takes e^x; the others bring their arguments here and go on from the results,
  // a chunk at a time.
  private void exp(float[] x, int from, int to, float shift) {
    Objects.checkFromToIndex(from, to, x.length);
    FloatVector smallest = FloatVector.broadcast(F, ExpPolynomial.SMALLEST);
    FloatVector largest = FloatVector.broadcast(F, ExpPolynomial.LARGEST);
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
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector y = FloatVector.fromArray(F, x, i).sub(shifts).max(smallest).min(largest);
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
      p.mul(exponent.reinterpretAsFloats()).intoArray(x, i);
    }
    for (; i < to; i++) {
      x[i] = ExpPolynomial.of(x[i] - shift);
    }
  }

  @Override
  public float max(float[] x, int from, int to) {
    float[] lanes = LANE_SUMS.get();
    Arrays.fill(lanes, 0, LANES, Float.NEGATIVE_INFINITY);
    int i = from;
    for (; i <= to - 2 * LANES; i += 2 * LANES) {
      FloatVector.fromArray(F, x, i)
          .max(FloatVector.fromArray(F, x, i + LANES))
          .max(FloatVector.fromArray(F, lanes, 0))
          .intoArray(lanes, 0);
    }
    for (; i <= to - LANES; i += LANES) {
      FloatVector.fromArray(F, x, i).max(FloatVector.fromArray(F, lanes, 0)).intoArray(lanes, 0);
    }
    float largest = FloatVector.fromArray(F, lanes, 0).reduceLanes(VectorOperators.MAX);
    return Math.max(largest, scalar.max(x, i, to));
  }

  @Override
  public void swiGlu(float[] gate, float[] up, float[] y, int from, int to) {
    for (int start = from; start < to; start += CHUNK) {
      int end = Math.min(to, start + CHUNK);
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
      for (; i < end; i++) {
        y[i] = gate[i] * (1 / (1 + y[i])) * up[i];
      }
    }
  }

  @Override
  public void swiGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to) {
    for (int start = from; start < to; start += CHUNK) {
      int end = Math.min(to, start + CHUNK);
      expOfMinus(gate, dgate, start, end);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector one = FloatVector.broadcast(F, 1);
        FloatVector s = one.div(FloatVector.fromArray(F, dgate, i).add(1));
        FloatVector x = FloatVector.fromArray(F, gate, i);
        FloatVector u = FloatVector.fromArray(F, up, i);
        FloatVector d = FloatVector.fromArray(F, dy, i);
        d.mul(u).mul(s).mul(x.mul(one.sub(s)).add(1)).intoArray(dgate, i);
        d.mul(x.mul(s)).intoArray(dup, i);
      }
      scalar.swiGluBackward(gate, up, dy, dgate, dup, i, end);
    }
  }

  /** y ← e^−x in [from, to). */
  private void expOfMinus(float[] x, float[] y, int from, int to) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector.fromArray(F, x, i).neg().intoArray(y, i);
    }
    for (; i < to; i++) {
      y[i] = -x[i];
    }
    exp(y, from, to, 0);
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
    float[] lanes = zeroLanes();
    int i = 0;
    for (; i <= length - 2 * LANES; i += 2 * LANES) {
      int second = i + LANES;
      FloatVector.fromArray(F, x, xAt + i)
          .mul(FloatVector.fromArray(F, y, yAt + i))
          .add(
              FloatVector.fromArray(F, x, xAt + second)
                  .mul(FloatVector.fromArray(F, y, yAt + second)))
          .add(FloatVector.fromArray(F, lanes, 0))
          .intoArray(lanes, 0);
    }
    return sumOfLanes(lanes, 0) + scalar.dot(x, xAt + i, y, yAt + i, length - i);
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
    for (int start = 0; start < length; start += CHUNK) {
      int end = Math.min(length, start + CHUNK);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector.fromArray(F, s, at + i)
            .add(r)
            .add(FloatVector.fromArray(F, c, i))
            .neg()
            .intoArray(s, at + i);
      }
      for (; i < end; i++) {
        s[at + i] = -(s[at + i] + r + c[i]);
      }
      exp(s, at + start, at + end, 0);
      i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector.fromArray(F, s, at + i)
            .mul(FloatVector.fromArray(F, w, at + i))
            .intoArray(s, at + i);
      }
      for (; i < end; i++) {
        s[at + i] *= w[at + i];
      }
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
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] columns,
      int columnsAt,
      float[] sums) {
    float inverse = 1 / scale;
    float[] lanes = zeroLanes();
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, v, at + i);
      FloatVector rounded = rounded(value, inverse, zero, largest);
      FloatVector code = rounded.max(-zero).min(largest - zero);
      VectorMask<Float> inside = rounded.compare(VectorOperators.EQ, code);
      FloatVector passed = FloatVector.zero(F).blend(value, inside);
      FloatVector gradient = FloatVector.fromArray(F, g, at + i);
      FloatVector dS = gradient.neg().mul(passed);
      gradient
          .mul(code.mul(scale).sub(passed))
          .add(FloatVector.fromArray(F, lanes, 0))
          .intoArray(lanes, 0);
      dS.add(FloatVector.fromArray(F, lanes, LANES)).intoArray(lanes, LANES);
      FloatVector.fromArray(F, columns, columnsAt + i).add(dS).intoArray(columns, columnsAt + i);
      dS.intoArray(v, at + i);
    }
    scalar.lrqGradients(
        g, v, at + i, length - i, scale, zero, largest, columns, columnsAt + i, sums);
    sums[0] = sumOfLanes(lanes, 0) + sums[0];
    sums[1] = sumOfLanes(lanes, LANES) + sums[1];
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
    float[] lanes = zeroLanes();
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector error =
          value.sub(
              rounded(value, inverse, zero, largest).max(-zero).min(largest - zero).mul(scale));
      FloatVector square = error.mul(error);
      FloatVector before = FloatVector.fromArray(F, lanes, 0);
      if (importance == null) {
        square.add(before).intoArray(lanes, 0);
      } else {
        square
            .mul(FloatVector.fromArray(F, importance, importanceAt + i))
            .add(before)
            .intoArray(lanes, 0);
      }
    }
    return sumOfLanes(lanes, 0)
        + scalar.squaredError(
            w, at + i, length - i, importance, importanceAt + i, scale, zero, largest);
  }

  @Override
  public void gptqColumn(
      float[] w,
      int at,
      int rows,
      float[] scales,
      float[] zeros,
      float largest,
      float pivot,
      float[] codes,
      float[] errors,
      int errorsAt) {
    int i = 0;
    for (; i <= rows - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector scale = FloatVector.fromArray(F, scales, i);
      FloatVector zero = FloatVector.fromArray(F, zeros, i);
      FloatVector least = zero.neg();
      FloatVector most = least.add(largest);
      FloatVector code =
          value
              .div(scale)
              .max(least.sub(1))
              .min(most.add(1))
              .add(ROUNDER)
              .sub(ROUNDER)
              .max(least)
              .min(most);
      code.add(zero).intoArray(codes, at + i);
      value.sub(scale.mul(code)).div(pivot).intoArray(errors, errorsAt + i);
    }
    scalar.gptqColumn(w, at, i, rows, scales, zeros, largest, pivot, codes, errors, errorsAt);
  }

  @Override
  public void addOuter(
      float[] x, int xAt, int rows, float[] u, int uAt, int columns, float[] y, int yAt) {
    int i = 0;
    for (; i <= rows - 4 * LANES; i += 4 * LANES) {
      FloatVector first = FloatVector.fromArray(F, x, xAt + i);
      FloatVector second = FloatVector.fromArray(F, x, xAt + i + LANES);
      FloatVector third = FloatVector.fromArray(F, x, xAt + i + 2 * LANES);
      FloatVector fourth = FloatVector.fromArray(F, x, xAt + i + 3 * LANES);
      for (int j = 0; j < columns; j++) {
        int at = yAt + j * rows + i;
        FloatVector a = FloatVector.broadcast(F, u[uAt + j]);
        FloatVector.fromArray(F, y, at).sub(first.mul(a)).intoArray(y, at);
        FloatVector.fromArray(F, y, at + LANES).sub(second.mul(a)).intoArray(y, at + LANES);
        FloatVector.fromArray(F, y, at + 2 * LANES).sub(third.mul(a)).intoArray(y, at + 2 * LANES);
        FloatVector.fromArray(F, y, at + 3 * LANES).sub(fourth.mul(a)).intoArray(y, at + 3 * LANES);
      }
    }
    scalar.addOuter(x, xAt, i, rows, u, uAt, columns, y, yAt);
  }

  @Override
  public void largestOfBf16(int[] pairs, int groups, int length, int[] largest) {
    int[] lanes = new int[LANES];
    for (int g = 0; g < groups; g++) {
      int end = (g + 1) * length;
      int i = g * length;
      IntVector.zero(I).intoArray(lanes, 0);
      for (; i <= end - LANES; i += LANES) {
        IntVector both = IntVector.fromArray(I, pairs, i);
        both.lanewise(VectorOperators.LSHL, 16)
            .and(Integer.MAX_VALUE)
            .max(both.and(0x7FFF0000))
            .max(IntVector.fromArray(I, lanes, 0))
            .intoArray(lanes, 0);
      }
      int most = IntVector.fromArray(I, lanes, 0).reduceLanes(VectorOperators.MAX);
      largest[g] = Math.max(most, ScalarLoops.largestOfBf16(pairs, i, end));
    }
  }

  // The quotient as w·(1/scale), and once more with what that leaves of w: the same number as the
  // division gives (Markstein 1990), whose instruction takes as long as all the others.
  @Override
  public void nibblesOfBf16(
      int[] pairs, int groups, int length, float[] scales, int[] codes, double[] sums) {
    float[] lanes = zeroLanes();
    nibbles(pairs, groups, length, scales, codes, lanes, 16, 0);
    nibbles(pairs, groups, length, scales, codes, lanes, 0, 4);
    sums[0] += sumOfLanes(lanes, 0);
    sums[1] += sumOfLanes(lanes, LANES);
    for (int g = 0; g < groups; g++) {
      int end = (g + 1) * length;
      ScalarLoops.nibblesOfBf16(pairs, end - length % LANES, end, scales[g], codes, sums);
    }
  }

  /** One number of every pair: the one that {@code left} shifts to the upper half. */
  private static void nibbles(
      int[] pairs,
      int groups,
      int length,
      float[] scales,
      int[] codes,
      float[] lanes,
      int left,
      int place) {
    FloatVector rounder = FloatVector.broadcast(F, ROUNDER);
    for (int g = 0; g < groups; g++) {
      FloatVector scale = FloatVector.broadcast(F, -scales[g]);
      FloatVector inverse = FloatVector.broadcast(F, 1 / scales[g]);
      int end = (g + 1) * length;
      for (int i = g * length; i <= end - LANES; i += LANES) {
        FloatVector w =
            IntVector.fromArray(I, pairs, i)
                .lanewise(VectorOperators.LSHL, left)
                .and(0xFFFF0000)
                .reinterpretAsFloats();
        FloatVector quotient = w.mul(inverse);
        quotient = quotient.fma(scale, w).fma(inverse, quotient);
        FloatVector shifted = quotient.max(-8).min(7).add(rounder);
        IntVector code =
            shifted.reinterpretAsInts().add(8).and(15).lanewise(VectorOperators.LSHL, place);
        if (place == 0) {
          code.intoArray(codes, i);
        } else {
          code.or(IntVector.fromArray(I, codes, i)).intoArray(codes, i);
        }
        FloatVector error = shifted.sub(rounder).fma(scale, w);
        error.fma(error, FloatVector.fromArray(F, lanes, 0)).intoArray(lanes, 0);
        w.fma(w, FloatVector.fromArray(F, lanes, LANES)).intoArray(lanes, LANES);
      }
    }
  }

  // The widths that occur are one or two vectors; both go down the rows together.
  @Override
  public void softmaxColumns(
      float[] x, int rows, int width, float[] small, int largestAt, int sumsAt) {
    if (width % LANES != 0) {
      ScalarLoops.softmaxColumns(x, 0, rows, width, small, largestAt, sumsAt);
      return;
    }
    Arrays.fill(small, largestAt, largestAt + width, Float.NEGATIVE_INFINITY);
    Arrays.fill(small, sumsAt, sumsAt + width, 0);
    maxColumns(x, rows, width, small, largestAt);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, x, row * width + i)
            .sub(FloatVector.fromArray(F, small, largestAt + i))
            .intoArray(x, row * width + i);
      }
    }
    exp(x, 0, rows * width, 0);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, small, sumsAt + i)
            .add(FloatVector.fromArray(F, x, row * width + i))
            .intoArray(small, sumsAt + i);
      }
    }
  }

  private static void maxColumns(float[] x, int rows, int width, float[] largest, int at) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, largest, at + i)
            .max(FloatVector.fromArray(F, x, row * width + i))
            .intoArray(largest, at + i);
      }
    }
  }
}
