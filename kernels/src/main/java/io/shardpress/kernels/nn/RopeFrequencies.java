package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import java.util.Arrays;

/**
 * Rotary frequencies, theta^(−2i/D), and Llama 3's stretching of them: wavelengths above old/low
 * are divided by the factor, those below old/high stay, those between are blended.
 */
public final class RopeFrequencies {
  private RopeFrequencies() {}

  /** [headDim/2] radians per position. */
  static double[] of(ModelConfig config) {
    double[] frequencies = unscaled(config);
    double[] divisors = divisors(config);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= divisors[i];
    }
    return frequencies;
  }

  /** [headDim/2] what the scaling divides frequencies by; 1 where there is none. */
  public static double[] divisors(ModelConfig config) {
    double[] divisors = new double[config.headDim() / 2];
    Arrays.fill(divisors, 1);
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null && scaling.type().equals("llama3")) {
      double[] frequencies = unscaled(config);
      for (int i = 0; i < divisors.length; i++) {
        divisors[i] = divisor(2 * Math.PI / frequencies[i], scaling);
      }
    }
    return divisors;
  }

  private static double[] unscaled(ModelConfig config) {
    double[] frequencies = new double[config.headDim() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1 / StrictMath.pow(config.ropeTheta(), 2.0 * i / config.headDim());
    }
    return frequencies;
  }

  private static double divisor(double wavelength, RopeScaling scaling) {
    double old = scaling.originalMaxPositions();
    double low = scaling.lowFreqFactor();
    double high = scaling.highFreqFactor();
    if (wavelength < old / high) {
      return 1;
    }
    if (wavelength > old / low) {
      return scaling.factor();
    }
    double s = (old / wavelength - low) / (high - low);
    return 1 / ((1 - s) / scaling.factor() + s);
  }
}
