package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;
import static io.shardpress.kernels.loops.Vectors.sumOfLanes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The loops on vectors; {@link Vectors} says what they keep to. */
final class VectorLoops implements Loops {
  private final ScalarLoops scalar = new ScalarLoops();

  @Override
  public String name() {
    return "vector-" + F.vectorBitSize();
  }

  private float sum(float[] x, int from, int to) {
    FloatVector lanes = FloatVector.zero(F);
    int i = from;
    for (; i <= to - 4 * LANES; i += 4 * LANES) {
      lanes =
          FloatVector.fromArray(F, x, i)
              .add(FloatVector.fromArray(F, x, i + LANES))
              .add(
                  FloatVector.fromArray(F, x, i + 2 * LANES)
                      .add(FloatVector.fromArray(F, x, i + 3 * LANES)))
              .add(lanes);
    }
    for (; i <= to - LANES; i += LANES) {
      lanes = FloatVector.fromArray(F, x, i).add(lanes);
    }
    float sum = sumOfLanes(lanes);
    for (; i < to; i++) {
      sum += x[i];
    }
    return sum;
  }

  @Override
  public float expShifted(float[] x, int from, int to, float shift) {
    VectorExp.shifted(x, from, to, shift);
    return sum(x, from, to);
  }

  @Override
  public float max(float[] x, int from, int to) {
    FloatVector lanes = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = from;
    for (; i <= to - 2 * LANES; i += 2 * LANES) {
      lanes = FloatVector.fromArray(F, x, i).max(FloatVector.fromArray(F, x, i + LANES)).max(lanes);
    }
    for (; i <= to - LANES; i += LANES) {
      lanes = FloatVector.fromArray(F, x, i).max(lanes);
    }
    return Math.max(lanes.reduceLanes(VectorOperators.MAX), scalar.max(x, i, to));
  }

  @Override
  public void swiGlu(float[] gate, float[] up, float[] y, int from, int to) {
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
      for (; i < end; i++) {
        y[i] = gate[i] * (1 / (1 + y[i])) * up[i];
      }
    }
  }

  @Override
  public void swiGluBackward(
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
      FloatVector.fromArray(F, x, i).neg().min(ExpPolynomial.LARGEST).intoArray(y, i);
    }
    for (; i < to; i++) {
      y[i] = -x[i];
    }
    VectorExp.shifted(y, from, to, 0);
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
    FloatVector lanes = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - 2 * LANES; i += 2 * LANES) {
      int second = i + LANES;
      lanes =
          FloatVector.fromArray(F, x, xAt + i)
              .mul(FloatVector.fromArray(F, y, yAt + i))
              .add(
                  FloatVector.fromArray(F, x, xAt + second)
                      .mul(FloatVector.fromArray(F, y, yAt + second)))
              .add(lanes);
    }
    return sumOfLanes(lanes) + scalar.dot(x, xAt + i, y, yAt + i, length - i);
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
  public void adam(
      float[] p,
      float[] g,
      float[] m,
      float[] u,
      int from,
      int to,
      float rate,
      float epsilon,
      float beta2) {
    float rest2 = 1 - beta2;
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector gradient = FloatVector.fromArray(F, g, i);
      FloatVector mean =
          FloatVector.fromArray(F, m, i)
              .mul(AdamConstants.BETA_1)
              .add(gradient.mul(AdamConstants.REST_1));
      FloatVector square =
          FloatVector.fromArray(F, u, i).mul(beta2).add(gradient.mul(rest2).mul(gradient));
      mean.intoArray(m, i);
      square.intoArray(u, i);
      FloatVector.fromArray(F, p, i)
          .sub(mean.mul(rate).div(square.sqrt().add(epsilon)))
          .intoArray(p, i);
    }
    scalar.adam(p, g, m, u, i, to, rate, epsilon, beta2);
  }

  @Override
  public void softmaxColumns(
      float[] x, int rows, int width, float[] small, int largestAt, int sumsAt) {
    if (width % LANES == 0) {
      VectorSoftmax.columns(x, rows, width, small, largestAt, sumsAt);
    } else {
      ScalarLoops.softmaxColumns(x, 0, rows, width, small, largestAt, sumsAt);
    }
  }
}
