package io.shardpress.kernels.quant;

import io.shardpress.kernels.loops.ActivationLoops;
import io.shardpress.kernels.loops.QuantizationLoops;

/** The eight-bit numbers that activations, keys and values are rounded to. */
public enum ActivationFormat {
  /** Integers, as compressed-tensors has them: −128…127, scale = absmax/127.5. */
  INT8(127.5f) {
    @Override
    void fakeQuantize(float[] x, float[] quantized, int at, int length, float scale, int zero) {
      QuantizationLoops.chosen().fakeQuantize(x, quantized, at, length, scale, zero, LARGEST_CODE);
    }
  },
  /** FP8 E4M3 (arXiv 2209.05433), scale = absmax/448; has no zero point. */
  FP8_E4M3(448) {
    @Override
    void fakeQuantize(float[] x, float[] quantized, int at, int length, float scale, int zero) {
      ActivationLoops.chosen().fakeQuantizeE4m3(x, quantized, at, length, scale);
    }
  };

  /** The largest code of eight bits. */
  static final int LARGEST_CODE = 255;

  /** The code of zero on the symmetric grid. */
  static final int MIDDLE = 128;

  // Below it, 1/scale would be infinite, and 0·∞ no number.
  private static final float SMALLEST_SCALE = 0x1p-120f;

  private final float largest;

  ActivationFormat(float largest) {
    this.largest = largest;
  }

  /** The scale that brings magnitudes up to {@code absMax} into the format. */
  public float scale(float absMax) {
    return usable(absMax / largest);
  }

  /** A scale that can be divided by. */
  static float usable(float scale) {
    return Math.max(scale, SMALLEST_SCALE);
  }

  /** x̂ of {@code length} elements from {@code at} on. */
  abstract void fakeQuantize(
      float[] x, float[] quantized, int at, int length, float scale, int zero);
}
