package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import java.util.Arrays;
import java.util.List;

/**
 * Rotary frequencies, theta^(−2i/D), and what stretches them. Llama 3: wavelengths above old/low
 * are divided by the factor, those below old/high stay, those between are blended. Linear: all are
 * divided. Longrope: each by a factor of its own. YaRN: those that turn less than beta_slow times
 * in the original length are divided, those that turn more than beta_fast times stay, and those
 * between are blended by their place. Dynamic: the base grows with the window, see {@link
 * GrowingRotation}.
 */
public final class RopeFrequencies {
  private RopeFrequencies() {}

  /** How a block rotates queries and keys. */
  static RotaryEmbedding of(ModelConfig config, int block) {
    if (config.localRopeTheta() > 0 && config.windows().get(block) > 0) {
      return new Rotation(unscaled(config.localRopeTheta(), config.rotaryDim()));
    }
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null && scaling.type().equals("longrope")) {
      return new Rotation(
          divided(config, scaling.shortFactors()),
          divided(config, scaling.longFactors()),
          scaling.originalMaxPositions(),
          scaling.magnitude());
    }
    if (scaling != null && scaling.type().equals("dynamic")) {
      return new GrowingRotation(
          config.ropeTheta(), config.rotaryDim(), scaling.factor(), scaling.originalMaxPositions());
    }
    if (scaling != null && scaling.type().equals("yarn")) {
      return new Rotation(of(config), null, 0, scaling.magnitude());
    }
    return new Rotation(of(config));
  }

  /** [rotaryDim/2] radians per position, of blocks whose attention does not slide. */
  static double[] of(ModelConfig config) {
    double[] frequencies = unscaled(config.ropeTheta(), config.rotaryDim());
    double[] divisors = divisors(config);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= divisors[i];
    }
    return frequencies;
  }

  /** [rotaryDim/2] what the scaling divides frequencies by; 1 where there is none. */
  public static double[] divisors(ModelConfig config) {
    double[] divisors = new double[config.rotaryDim() / 2];
    Arrays.fill(divisors, 1);
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null && scaling.type().equals("linear")) {
      Arrays.fill(divisors, scaling.factor());
    }
    if (scaling != null && scaling.type().equals("llama3")) {
      double[] frequencies = unscaled(config.ropeTheta(), config.rotaryDim());
      for (int i = 0; i < divisors.length; i++) {
        divisors[i] = divisor(2 * Math.PI / frequencies[i], scaling);
      }
    }
    if (scaling != null && scaling.type().equals("yarn")) {
      yarn(config, scaling, divisors);
    }
    return divisors;
  }

  /** 1/((1 − r) + r/factor) with a ramp r from 0 to 1 over the frequencies that are blended. */
  private static void yarn(ModelConfig config, RopeScaling scaling, double[] divisors) {
    double low = place(config, scaling, scaling.highFreqFactor());
    double high = place(config, scaling, scaling.lowFreqFactor());
    if (scaling.truncated()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, config.rotaryDim() - 1.0);
    if (low == high) {
      high += 0.001;
    }
    for (int i = 0; i < divisors.length; i++) {
      double ramp = Math.max(0, Math.min(1, (i - low) / (high - low)));
      divisors[i] = 1 / (1 - ramp + ramp / scaling.factor());
    }
  }

  /** The index of the frequency that turns so many times in the original length. */
  private static double place(ModelConfig config, RopeScaling scaling, double turns) {
    return config.rotaryDim()
        * StrictMath.log(scaling.originalMaxPositions() / (turns * 2 * Math.PI))
        / (2 * StrictMath.log(config.ropeTheta()));
  }

  private static double[] divided(ModelConfig config, List<Double> factors) {
    double[] frequencies = unscaled(config.ropeTheta(), config.rotaryDim());
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= factors.get(i);
    }
    return frequencies;
  }

  static double[] unscaled(double theta, int rotaryDim) {
    double[] frequencies = new double[rotaryDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1 / StrictMath.pow(theta, 2.0 * i / rotaryDim);
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
