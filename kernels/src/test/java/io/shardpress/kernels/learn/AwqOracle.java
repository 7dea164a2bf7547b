package io.shardpress.kernels.learn;

/** AWQ's definitions, as the paper has them. */
final class AwqOracle {
  private AwqOracle() {}

  /** Q(W·s)/s by the definition; in f32 up to the codes, as a group's largest weight is a tie. */
  static double[] rounded(float[] w, int in, float[] s, int bits, boolean symmetric, int group) {
    int length = group == 0 ? in : group;
    double[] rounded = new double[w.length];
    int most = (1 << bits) - 1;
    for (int g = 0; g < w.length / length; g++) {
      float low = 0;
      float high = 0;
      for (int i = g * length; i < (g + 1) * length; i++) {
        low = Math.min(low, w[i] * s[i % in]);
        high = Math.max(high, w[i] * s[i % in]);
      }
      float scale = (symmetric ? 2 * Math.max(-low, high) : high - low) / most;
      double zero = symmetric ? 1 << (bits - 1) : Math.rint(-low / scale);
      for (int i = g * length; i < (g + 1) * length; i++) {
        double code = Math.rint(w[i] * s[i % in] / scale) + zero;
        rounded[i] = (double) scale * (Math.min(Math.max(code, 0), most) - zero) / s[i % in];
      }
    }
    return rounded;
  }

  /** Σ over tokens and rows of the outputs' squared errors, token by token. */
  static double outputError(double[] x, int in, float[] w, double[] rounded) {
    double error = 0;
    for (int t = 0; t < x.length / in; t++) {
      for (int row = 0; row < w.length / in; row++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += x[t * in + i] * (w[row * in + i] - rounded[row * in + i]);
        }
        error += sum * sum;
      }
    }
    return error;
  }
}
