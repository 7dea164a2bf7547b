package io.shardpress.schemas.model;

import java.util.List;

/**
 * How rotary embeddings are stretched beyond the length that a model was first trained on; absent
 * where they are not. Values that a type does not use are 0 or empty.
 *
 * @param type {@code llama3}, {@code linear}, {@code longrope}, {@code yarn}, {@code dynamic}, or a
 *     type that has no block here
 * @param factor by which low frequencies are divided; with linear all of them; with dynamic how
 *     fast the base grows beyond originalMaxPositions
 * @param lowFreqFactor originalMaxPositions / this is the wavelength from which all of factor
 *     applies; yarn's beta_slow
 * @param highFreqFactor originalMaxPositions / this is the wavelength up to which nothing changes;
 *     yarn's beta_fast
 * @param originalMaxPositions positions of the first training
 * @param shortFactors longrope's divisor of each frequency in texts up to originalMaxPositions
 * @param longFactors the same in longer ones
 * @param magnitude by which longrope and yarn multiply what is rotated
 * @param truncated whether yarn blends between whole frequencies
 */
public record RopeScaling(
    String type,
    double factor,
    double lowFreqFactor,
    double highFreqFactor,
    int originalMaxPositions,
    List<Double> shortFactors,
    List<Double> longFactors,
    double magnitude,
    boolean truncated) {
  public RopeScaling {
    shortFactors = List.copyOf(shortFactors);
    longFactors = List.copyOf(longFactors);
  }

  /** One without factors of its own for each frequency. */
  public RopeScaling(
      String type,
      double factor,
      double lowFreqFactor,
      double highFreqFactor,
      int originalMaxPositions) {
    this(
        type,
        factor,
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositions,
        List.of(),
        List.of(),
        1,
        false);
  }
}
