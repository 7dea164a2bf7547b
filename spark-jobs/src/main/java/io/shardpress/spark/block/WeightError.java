package io.shardpress.spark.block;

/**
 * How far a linear's learned weights are from its own.
 *
 * @param error ‖Ŵ − W‖²
 * @param weights ‖W‖²
 */
public record WeightError(double error, double weights) {
  /** That of no weights. */
  public static final WeightError NONE = new WeightError(0, 0);

  /** That of a tile. */
  public static WeightError of(float[] dequantized, float[] original) {
    double error = 0;
    double weights = 0;
    for (int i = 0; i < original.length; i++) {
      double difference = (double) original[i] - dequantized[i];
      error += difference * difference;
      weights += (double) original[i] * original[i];
    }
    return new WeightError(error, weights);
  }

  /** Both together. */
  public WeightError plus(WeightError other) {
    return new WeightError(error + other.error, weights + other.weights);
  }

  /** ‖Ŵ − W‖² / ‖W‖²; 0 where there are no weights. */
  public double relative() {
    return weights == 0 ? 0 : error / weights;
  }
}
