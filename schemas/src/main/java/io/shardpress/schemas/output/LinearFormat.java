package io.shardpress.schemas.output;

import io.shardpress.schemas.recipe.SchemeGroup;

/** The formats of a linear: compressed-tensors', and one beside them. */
public enum LinearFormat {
  /** Integers packed into 32-bit words; the linear's inputs stay as they are. */
  PACK_QUANTIZED("pack-quantized"),
  /**
   * Signed integers, a byte each, however few bits they have; where inputs are quantized too. That
   * is also what vLLM's kernels for 4-bit weights and 8-bit inputs read.
   */
  INT_QUANTIZED("int-quantized"),
  /** FP8 numbers, a byte each, whether inputs are quantized or not. */
  FLOAT_QUANTIZED("float-quantized"),
  /** FP4 numbers, two in a byte, with powers of two as scales. */
  MXFP4_PACK_QUANTIZED("mxfp4-pack-quantized"),
  /** FP4 numbers, two in a byte, with FP8 scales and one for the whole weight. */
  NVFP4_PACK_QUANTIZED("nvfp4-pack-quantized"),
  /**
   * Our own: {@link #PACK_QUANTIZED} with outliers beside the integers. compressed-tensors does not
   * know it, so that its readers refuse what they would read wrongly.
   */
  PACK_QUANTIZED_OUTLIERS("pack-quantized-outliers");

  private final String word;

  LinearFormat(String word) {
    this.word = word;
  }

  /** As config.json writes it. */
  public String word() {
    return word;
  }

  /** The format in which a group's linears are written. */
  public static LinearFormat of(SchemeGroup group) {
    switch (group.weights().form()) {
      case FP8_TENSOR, FP8_CHANNEL, FP8_BLOCK -> {
        return FLOAT_QUANTIZED;
      }
      case MXFP4 -> {
        return MXFP4_PACK_QUANTIZED;
      }
      case NVFP4 -> {
        return NVFP4_PACK_QUANTIZED;
      }
      case INT, INT_TENSOR -> {}
    }
    if (group.activations() != null) {
      return INT_QUANTIZED;
    }
    return group.weights().outliers() ? PACK_QUANTIZED_OUTLIERS : PACK_QUANTIZED;
  }
}
