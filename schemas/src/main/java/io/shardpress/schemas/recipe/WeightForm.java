package io.shardpress.schemas.recipe;

/**
 * The kind of numbers that weights are stored as, and of floating-point ones what shares a scale.
 */
public enum WeightForm {
  /** Integers; {@link WeightScheme} says of how many bits and what shares a step. */
  INT("group"),
  /** Integers with one step for the whole weight, which is stored for each row. */
  INT_TENSOR("tensor"),
  /** FP8 E4M3 with one scale for the whole weight. */
  FP8_TENSOR("tensor"),
  /** FP8 E4M3 with a scale for each row. */
  FP8_CHANNEL("channel"),
  /** FP8 E4M3 with a scale for every block of 128×128, those at the edges smaller. */
  FP8_BLOCK("block"),
  /** FP4 E2M1 with a power of two for every 32 inputs of a row (OCP Microscaling 1.0). */
  MXFP4("group"),
  /** FP4 E2M1 with an E4M3 for every 16 inputs of a row, divided by one F32 of the whole weight. */
  NVFP4("tensor_group");

  /** Rows and columns of a block. */
  public static final int BLOCK = 128;

  private final String strategy;

  WeightForm(String strategy) {
    this.strategy = strategy;
  }

  /** compressed-tensors' word for what shares a scale. */
  public String strategy() {
    return strategy;
  }

  /** Whether numbers are floating-point. */
  public boolean floating() {
    return this != INT && this != INT_TENSOR;
  }

  /** Whether numbers are E2M1, of four bits. */
  public boolean fp4() {
    return this == MXFP4 || this == NVFP4;
  }

  /** Bits of a floating-point number. */
  int bits() {
    return fp4() ? 4 : 8;
  }

  /** Inputs of a row that share a scale; 0: all of them. */
  int groupSize() {
    return switch (this) {
      case FP8_BLOCK -> BLOCK;
      case MXFP4 -> 32;
      case NVFP4 -> 16;
      default -> 0;
    };
  }
}
