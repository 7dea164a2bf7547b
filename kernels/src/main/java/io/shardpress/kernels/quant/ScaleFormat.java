package io.shardpress.kernels.quant;

import io.shardpress.schemas.safetensors.Dtype;

/**
 * The dtype in which scales are stored, or the dtypes where there are two outputs. Scales are
 * rounded to it before the integers are chosen, so that the files equal what was measured.
 */
public enum ScaleFormat {
  F32(1.1920929e-7f, Float.MAX_VALUE) {
    @Override
    public float round(float scale) {
      return scale;
    }
  },
  BF16(1.1920929e-7f, 0x1.FEp127f) {
    @Override
    public float round(float scale) {
      int bits = Float.floatToRawIntBits(Math.max(-largest(), Math.min(scale, largest())));
      return Float.intBitsToFloat((bits + 0x7FFF + ((bits >>> 16) & 1)) & 0xFFFF0000);
    }
  },
  F16(5.9604645e-8f, 65504) {
    @Override
    public float round(float scale) {
      // Adding and taking away a number 2^13 ulp larger leaves f16's 11 bits; below its normal
      // range the spacing is fixed at 2^-24.
      float magnitude = Math.min(Math.abs(scale), largest());
      float spacing =
          magnitude < 0x1p-14f ? 0x1p-24f : Math.scalb(1f, Math.getExponent(magnitude) - 10);
      return Math.copySign((float) (Math.rint(magnitude / (double) spacing) * spacing), scale);
    }
  },
  /** What bf16 and f16 both hold: bf16's 8 bits, within f16's range and not below its 2^-24. */
  BF16_AND_F16(5.9604645e-8f, 65280) {
    @Override
    public float round(float scale) {
      float magnitude = Math.min(Math.abs(scale), largest());
      float spacing =
          magnitude < 0x1p-17f ? 0x1p-24f : Math.scalb(1f, Math.getExponent(magnitude) - 7);
      return Math.copySign((float) (Math.rint(magnitude / (double) spacing) * spacing), scale);
    }
  };

  private final float smallest;
  private final float largest;

  ScaleFormat(float smallest, float largest) {
    this.smallest = smallest;
    this.largest = largest;
  }

  /** What numbers of a dtype are exact in; F32 for those that are no 16-bit floats. */
  public static ScaleFormat of(Dtype dtype) {
    return switch (dtype) {
      case BF16 -> BF16;
      case F16 -> F16;
      default -> F32;
    };
  }

  /** The largest finite number of the format: what {@link #round} makes of all beyond it. */
  public float largest() {
    return largest;
  }

  /** The nearest finite number of the format, ties to even. */
  public abstract float round(float scale);

  /**
   * A scale that can be stored and divided by: rounded, and a small positive number where that is
   * zero, or so near to it that its inverse is infinite.
   */
  public float usable(float scale) {
    float rounded = round(scale);
    return rounded >= Float.MIN_NORMAL ? rounded : smallest;
  }
}
