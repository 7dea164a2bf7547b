package io.shardpress.kernels.loops;

/** The definition of every loop. With σ(x) = 1/(1 + e^−x), tanh(x) = 2σ(2x) − 1. */
@SuppressWarnings("FloatingPointLiteralPrecision") // the digits of f64, rounded by the compiler
final class ScalarTanhLoops implements TanhLoops {
  /** 2·√(2/π): gelu(x) = x·σ(x·(SLOPE + CUBIC·x²)). */
  static final float SLOPE = 1.5957691216057308f;

  static final float CUBIC = 0.07135481627159628f;

  @Override
  public void geGlu(float[] gate, float[] up, float[] y, int from, int to) {
    for (int i = from; i < to; i++) {
      y[i] = gate[i] * sigmoid(gate[i]) * up[i];
    }
  }

  @Override
  public void geGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to) {
    for (int i = from; i < to; i++) {
      float x = gate[i];
      float u = up[i];
      float s = sigmoid(x);
      float d = dy[i];
      float inner = x * x * (3 * CUBIC) + SLOPE;
      dgate[i] = d * u * s * (1 + x * (1 - s) * inner);
      dup[i] = d * (x * s);
    }
  }

  private static float sigmoid(float x) {
    return 1 / (1 + ExpPolynomial.of(-(x * (x * x * CUBIC + SLOPE))));
  }

  @Override
  public void softCap(float[] x, int from, int to, float cap) {
    float inverse = -2 / cap;
    for (int i = from; i < to; i++) {
      float s = 1 / (1 + ExpPolynomial.of(x[i] * inverse));
      x[i] = cap * (2 * s - 1);
    }
  }

  @Override
  public void softCapGradient(float[] y, int yAt, float[] dx, int dxAt, int length, float cap) {
    for (int i = 0; i < length; i++) {
      float t = y[yAt + i] * (1 / cap);
      dx[dxAt + i] = dx[dxAt + i] * (1 - t * t);
    }
  }
}
