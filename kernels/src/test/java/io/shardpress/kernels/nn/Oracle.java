package io.shardpress.kernels.nn;

/** The operations of a block in f64, written as the papers have them: no tiles, no tricks. */
final class Oracle {
  private Oracle() {}

  static double[] rmsNorm(int rows, int width, double[] x, double[] w, double epsilon) {
    double[] y = new double[rows * width];
    for (int r = 0; r < rows; r++) {
      double squares = 0;
      for (int j = 0; j < width; j++) {
        squares += x[r * width + j] * x[r * width + j];
      }
      double root = Math.sqrt(squares / width + epsilon);
      for (int j = 0; j < width; j++) {
        y[r * width + j] = w[j] * x[r * width + j] / root;
      }
    }
    return y;
  }

  /** x·cos + cat(−x₂, x₁)·sin, with cos and sin of cat(f, f). */
  static double[] rope(int rows, int window, int heads, double[] x, double[] frequencies) {
    int half = frequencies.length;
    int d = 2 * half;
    double[] y = new double[x.length];
    for (int row = 0; row < rows * heads; row++) {
      int position = row / heads % window;
      for (int i = 0; i < d; i++) {
        double angle = position * frequencies[i % half];
        double turned = i < half ? -x[row * d + i + half] : x[row * d + i - half];
        y[row * d + i] = x[row * d + i] * Math.cos(angle) + turned * Math.sin(angle);
      }
    }
    return y;
  }

  /** softmax(q·kᵀ/√D, masked)·v with all of T×T, one head after the other. */
  static double[] attention(
      BlockShape s, int rows, int window, double[] q, double[] k, double[] v) {
    int d = s.headDim();
    double[] out = new double[rows * s.queryWidth()];
    for (int row = 0; row < rows; row++) {
      int start = row - row % window;
      for (int head = 0; head < s.heads(); head++) {
        int kvHead = head / (s.heads() / s.kvHeads());
        double[] p = new double[window];
        double total = 0;
        for (int t = 0; t < window; t++) {
          int distance = row - start - t;
          boolean seen = distance >= 0 && (s.slidingWindow() == 0 || distance < s.slidingWindow());
          if (seen) {
            double score = 0;
            for (int i = 0; i < d; i++) {
              score +=
                  q[row * s.queryWidth() + head * d + i]
                      * k[(start + t) * s.keyWidth() + kvHead * d + i];
            }
            p[t] = Math.exp(score / Math.sqrt(d));
            total += p[t];
          }
        }
        for (int t = 0; t < window; t++) {
          for (int i = 0; i < d; i++) {
            out[row * s.queryWidth() + head * d + i] +=
                p[t] / total * v[(start + t) * s.keyWidth() + kvHead * d + i];
          }
        }
      }
    }
    return out;
  }

  static double[] swiGlu(double[] gate, double[] up) {
    double[] y = new double[gate.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
    }
    return y;
  }

  /** x·wᵀ + bias for w [out×in]; bias may be null. */
  static double[] linear(int rows, int in, int out, double[] x, double[] w, double[] bias) {
    double[] y = new double[rows * out];
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        double sum = bias == null ? 0 : bias[o];
        for (int i = 0; i < in; i++) {
          sum += x[r * in + i] * w[o * in + i];
        }
        y[r * out + o] = sum;
      }
    }
    return y;
  }
}
