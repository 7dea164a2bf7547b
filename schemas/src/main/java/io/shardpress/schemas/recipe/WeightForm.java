package io.shardpress.schemas.recipe;

/** The kind of numbers that weights are stored as, and for FP8 what shares a scale. */
public enum WeightForm {
  /** Integers; {@link WeightScheme} says of how many bits and what shares a step. */
  INT("group"),
  /** FP8 E4M3 with one scale for the whole weight. */
  FP8_TENSOR("tensor"),
  /** FP8 E4M3 with a scale for each row. */
  FP8_CHANNEL("channel"),
  /** FP8 E4M3 with a scale for every block of 128×128, those at the edges smaller. */
  FP8_BLOCK("block");

  /** Rows and columns of a block. */
  public static final int BLOCK = 128;

  private final String strategy;

  WeightForm(String strategy) {
    this.strategy = strategy;
  }

  /** compressed-tensors' word for what shares a scale of FP8. */
  public String strategy() {
    return strategy;
  }

  /** Whether numbers are floating-point. */
  public boolean floating() {
    return this != INT;
  }
}
