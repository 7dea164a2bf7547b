package io.shardpress.kernels.quant;

import io.shardpress.kernels.convert.SmallFloats;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * Weights in FP4 E2M1: q = e2m1(w/scale), beyond ±6 ±6, and ŵ = q·scale, with one scale for every
 * group of a row's inputs. Codes are the four bits of E2M1; there are no zero points.
 *
 * <p>MXFP4 (OCP Microscaling 1.0, 6.3): scales are powers of two, 2^(e−2) for a group that reaches
 * m·2^e, with m from 1 to 2; as in compressed-tensors, from m = 1¾ on the next power, where fewer
 * weights lie beyond 6. NVFP4: scale = e4m3(global·absmax/6)/global with global = 448·6/absmax of
 * all that shares it.
 */
public final class Fp4Rounding {
  private static final int EXPONENT_BIAS = 127;
  private static final int MANTISSA_BITS = 23;
  private static final int LARGEST_EXPONENT = 254;

  /** Floats from 1¾ on have a mantissa that this carries into the exponent. */
  private static final int QUARTER = 1 << (MANTISSA_BITS - 2);

  /** The exponent of 4, E2M1's greatest power of two. */
  private static final int E2M1_EXPONENT = 2;

  /** Weights that stay below are 0 in every 16-bit dtype; a global scale of them would overflow. */
  private static final float LEAST = 0x1p-100f;

  private static final float LEAST_E4M3 = 0x1p-9f;

  private Fp4Rounding() {}

  /** MXFP4's scales of w [rows × in]. */
  public static Steps powersOfTwo(float[] w, int rows, int in, WeightScheme scheme) {
    Steps steps = new Steps(rows, scheme.groups(in));
    for (int group = 0; group < steps.scales().length; group++) {
      float most = Fp8Rounding.absMax(w, group * scheme.groupSize(), scheme.groupSize());
      steps.scales()[group] = most == 0 ? 1 : SmallFloats.fromE8m0(powerOfTwo(most));
    }
    return steps;
  }

  private static byte powerOfTwo(float most) {
    int biased = (Float.floatToRawIntBits(most) + QUARTER) >>> MANTISSA_BITS;
    return (byte) Math.max(0, Math.min(LARGEST_EXPONENT, biased - E2M1_EXPONENT));
  }

  /** The E8M0 of a scale that {@link #powersOfTwo} gave. */
  public static byte e8m0(float scale) {
    return (byte) (Math.getExponent(scale) + EXPONENT_BIAS);
  }

  /** What NVFP4's E4M3 scales are divided by, for weights that reach {@code absMax}. */
  public static float globalScale(float absMax) {
    float wanted = SmallFloats.E4M3_LARGEST * SmallFloats.E2M1_LARGEST;
    return wanted / Math.max(absMax, LEAST);
  }

  /**
   * NVFP4's scales of w [rows × in], as E4M3 has them, divided by {@code globalScale}. A scale that
   * E4M3 would make 0 is its least number.
   */
  public static Steps inGroups(
      float[] w, int rows, int in, WeightScheme scheme, float globalScale) {
    Steps steps = new Steps(rows, scheme.groups(in));
    for (int group = 0; group < steps.scales().length; group++) {
      float most = Fp8Rounding.absMax(w, group * scheme.groupSize(), scheme.groupSize());
      byte code = SmallFloats.toE4m3(globalScale * (most / SmallFloats.E2M1_LARGEST));
      float scale = Math.max(SmallFloats.fromE4m3(code), LEAST_E4M3);
      steps.scales()[group] = scale / globalScale;
    }
    return steps;
  }

  /**
   * The E4M3 of a scale that {@link #inGroups} gave. A float's error in scale·globalScale is far
   * below half the distance of two E4M3, so that the nearest is the one it was made from.
   */
  public static byte e4m3(float scale, float globalScale) {
    return SmallFloats.toE4m3(scale * globalScale);
  }

  /** Rounds w [rows × in] to the nearest codes of the given scales. */
  public static QuantizedLinear round(
      float[] w, int rows, int in, WeightScheme scheme, Steps steps) {
    byte[] codes = new byte[rows * in];
    int length = in / steps.groups();
    for (int group = 0; group < steps.scales().length; group++) {
      float scale = steps.scales()[group];
      for (int i = group * length; i < (group + 1) * length; i++) {
        codes[i] = (byte) SmallFloats.toE2m1(w[i] / scale);
      }
    }
    return new QuantizedLinear(rows, in, scheme, codes, steps);
  }

  /** ŵ = q·scale into [rows × in]. */
  static void dequantize(byte[] codes, int rows, int in, Steps steps, float[] into) {
    int length = in / steps.groups();
    for (int i = 0; i < rows * in; i++) {
      into[i] = SmallFloats.fromE2m1(codes[i]) * steps.scales()[i / length];
    }
  }
}
