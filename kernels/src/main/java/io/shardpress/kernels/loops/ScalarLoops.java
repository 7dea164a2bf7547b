package io.shardpress.kernels.loops;

/** The definition of every loop. */
final class ScalarLoops implements Loops {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public float expShifted(float[] x, int from, int to, float shift) {
    float sum = 0;
    for (int i = from; i < to; i++) {
      x[i] = ExpPolynomial.of(x[i] - shift);
      sum += x[i];
    }
    return sum;
  }

  @Override
  public float max(float[] x, int from, int to) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, x[i]);
    }
    return largest;
  }

  @Override
  public void swiGlu(float[] gate, float[] up, float[] y, int from, int to) {
    for (int i = from; i < to; i++) {
      y[i] = gate[i] * sigmoid(gate[i]) * up[i];
    }
  }

  @Override
  public void swiGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to) {
    for (int i = from; i < to; i++) {
      float x = gate[i];
      float u = up[i];
      float s = sigmoid(x);
      float d = dy[i];
      dgate[i] = d * u * s * (1 + x * (1 - s));
      dup[i] = d * (x * s);
    }
  }

  private static float sigmoid(float x) {
    return 1 / (1 + ExpPolynomial.of(-x));
  }

  @Override
  public void addScaled(float a, float[] x, int xAt, float[] y, int yAt, int length) {
    for (int i = 0; i < length; i++) {
      y[yAt + i] = a * x[xAt + i] + y[yAt + i];
    }
  }

  @Override
  public void scale(float a, float[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      x[i] = a * x[i];
    }
  }

  @Override
  public float dot(float[] x, int xAt, float[] y, int yAt, int length) {
    float sum = 0;
    for (int i = 0; i < length; i++) {
      sum += x[xAt + i] * y[yAt + i];
    }
    return sum;
  }

  @Override
  public void scaledProduct(
      float[] w, float a, float[] x, int xAt, float[] y, int yAt, int length) {
    for (int i = 0; i < length; i++) {
      y[yAt + i] = w[i] * (a * x[xAt + i]);
    }
  }

  @Override
  public void softmaxGradient(float[] p, float[] ds, int at, int length, float pull, float scale) {
    for (int i = at; i < at + length; i++) {
      ds[i] = p[i] * (ds[i] - pull) * scale;
    }
  }

  @Override
  public void rotate(
      float[] x, int at, float[] cos, float[] sin, int angles, int half, float sign) {
    for (int i = 0; i < half; i++) {
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
    for (int i = from; i < to; i++) {
      float gradient = g[i];
      float mean = AdamConstants.BETA_1 * m[i] + AdamConstants.REST_1 * gradient;
      float square = beta2 * u[i] + rest2 * gradient * gradient;
      m[i] = mean;
      u[i] = square;
      p[i] -= rate * mean / ((float) Math.sqrt(square) + epsilon);
    }
  }

  @Override
  public void softmaxColumns(
      float[] x, int rows, int width, float[] small, int largestAt, int sumsAt) {
    softmaxColumns(x, 0, rows, width, small, largestAt, sumsAt);
  }

  /** As {@link #softmaxColumns}, for the columns from {@code first} on. */
  static void softmaxColumns(
      float[] x, int first, int rows, int width, float[] small, int largestAt, int sumsAt) {
    for (int column = first; column < width; column++) {
      float largest = Float.NEGATIVE_INFINITY;
      for (int row = 0; row < rows; row++) {
        largest = Math.max(largest, x[row * width + column]);
      }
      float sum = 0;
      for (int row = 0; row < rows; row++) {
        int at = row * width + column;
        x[at] = ExpPolynomial.of(x[at] - largest);
        sum += x[at];
      }
      small[largestAt + column] = largest;
      small[sumsAt + column] = sum;
    }
  }
}
