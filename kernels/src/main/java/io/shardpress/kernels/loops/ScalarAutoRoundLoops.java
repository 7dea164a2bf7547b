package io.shardpress.kernels.loops;

/** The definition of every loop. */
final class ScalarAutoRoundLoops implements AutoRoundLoops {
  @Override
  public void fakeQuantize(
      float[] w,
      float[] v,
      float[] quantized,
      int at,
      int length,
      float scale,
      float zero,
      float largest) {
    for (int i = at; i < at + length; i++) {
      float rounded = ScalarQuantizationLoops.rounded(w[i] / scale + v[i], 1, zero, largest);
      quantized[i] = scale * ScalarQuantizationLoops.clamp(rounded, zero, largest);
    }
  }

  @Override
  public void gradients(
      float[] g,
      float[] w,
      float[] v,
      float[] dv,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] sums) {
    float step = 0;
    float clamped = 0;
    for (int i = at; i < at + length; i++) {
      float place = w[i] / scale;
      float rounded = ScalarQuantizationLoops.rounded(place + v[i], 1, zero, largest);
      float code = ScalarQuantizationLoops.clamp(rounded, zero, largest);
      boolean inside = rounded == code;
      float passed = inside ? g[i] : 0;
      dv[i] = passed * scale;
      step += g[i] * (code - (inside ? place : 0));
      clamped += g[i] - passed;
    }
    sums[0] = step;
    sums[1] = clamped;
  }

  @Override
  public void signStep(
      float[] p, float[] g, int from, int to, float rate, float least, float most) {
    for (int i = from; i < to; i++) {
      float moved = p[i];
      if (g[i] > 0) {
        moved -= rate;
      } else if (g[i] < 0) {
        moved += rate;
      }
      p[i] = Math.min(Math.max(moved, least), most);
    }
  }
}
