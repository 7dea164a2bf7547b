package io.shardpress.kernels.nn;

import java.io.Serializable;

/**
 * How queries and keys are rotated by their positions.
 *
 * @param inverseFrequencies [rotated elements / 2] radians per position
 * @param longFrequencies the same in windows of more than longFrom tokens; null where they are as
 *     in others
 * @param longFrom see there
 * @param magnitude by which what is rotated is multiplied
 */
public record Rotation(
    double[] inverseFrequencies, double[] longFrequencies, int longFrom, double magnitude)
    implements Serializable {
  /** The same in windows of any length. */
  public Rotation(double[] inverseFrequencies) {
    this(inverseFrequencies, null, 0, 1);
  }

  /** Radians per position in windows of so many tokens. */
  double[] frequencies(int window) {
    return longFrequencies != null && window > longFrom ? longFrequencies : inverseFrequencies;
  }
}
