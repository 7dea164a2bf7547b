package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.BlockTraits.Activation;

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

  /**
   * x·cos + cat(−x₂, x₁)·sin of the rotated elements, with cos and sin of cat(f, f) times the
   * magnitude; then what is not rotated.
   */
  static double[] rope(int rows, int window, int heads, int width, double[] x, Rotation rotation) {
    double[] frequencies = rotation.inverseFrequencies();
    int half = frequencies.length;
    double[] y = x.clone();
    for (int row = 0; row < rows * heads; row++) {
      int position = row / heads % window;
      for (int i = 0; i < 2 * half; i++) {
        double angle = position * frequencies[i % half];
        int at = row * width + i;
        double turned = i < half ? -x[at + half] : x[at - half];
        y[at] = rotation.magnitude() * (x[at] * Math.cos(angle) + turned * Math.sin(angle));
      }
    }
    return y;
  }

  /** softmax(q·kᵀ/√scalar, capped, masked)·v with all of T×T, one head after the other. */
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
            double cap = s.traits().scoreCap();
            score /= Math.sqrt(s.traits().queryScalar());
            p[t] = Math.exp(cap == 0 ? score : cap * Math.tanh(score / cap));
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

  static double[] gated(Activation f, double[] gate, double[] up) {
    double[] y = new double[gate.length];
    for (int i = 0; i < y.length; i++) {
      double x = gate[i];
      double inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
      y[i] =
          up[i]
              * switch (f) {
                case SILU -> x / (1 + Math.exp(-x));
                case GELU_TANH -> 0.5 * x * (1 + Math.tanh(inner));
              };
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
