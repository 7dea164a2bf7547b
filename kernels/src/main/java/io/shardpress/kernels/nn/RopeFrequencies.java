package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;

/**
 * Rotary frequencies, theta^(−2i/D), and Llama 3's stretching of them: wavelengths above old/low
 * are divided by the factor, those below old/high stay, those between are blended.
 */
final class RopeFrequencies {
  private RopeFrequencies() {}

  /** [headDim/2] radians per position. */
  static double[] of(ModelConfig config) {
    int half = config.headDim() / 2;
    double[] frequencies = new double[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = 1 / StrictMath.pow(config.ropeTheta(), 2.0 * i / config.headDim());
    }
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null && scaling.type().equals("llama3")) {
      for (int i = 0; i < half; i++) {
        frequencies[i] /= divisor(2 * Math.PI / frequencies[i], scaling);
      }
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
