package io.shardpress.kernels.nn;

/**
 * Frequencies that are the same in all windows, or in all short and in all long ones.
 *
 * @param inverseFrequencies [rotated elements / 2] radians per position
 * @param longFrequencies the same in windows of more than longFrom tokens; null where they are as
 *     in others
 * @param longFrom see there
 * @param magnitude by which what is rotated is multiplied
 */
public record Rotation(
    double[] inverseFrequencies, double[] longFrequencies, int longFrom, double magnitude)
    implements RotaryEmbedding {
  /** The same in windows of any length. */
  public Rotation(double[] inverseFrequencies) {
    this(inverseFrequencies, null, 0, 1);
  }

  @Override
  public double[] frequencies(int window) {
    return longFrequencies != null && window > longFrom ? longFrequencies : inverseFrequencies;
  }
}
