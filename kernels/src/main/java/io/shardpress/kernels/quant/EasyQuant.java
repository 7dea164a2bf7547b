package io.shardpress.kernels.quant;

import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * EasyQuant (arXiv 2403.02775): outliers keep their full precision, the other weights get the steps
 * with the least squared error ({@link FixedPointSearch}). Needs no data. Given the {@link
 * OutlierRule} of the whole tensor, rows do not depend on one another, so that a tensor may be done
 * in tiles of rows.
 */
public final class EasyQuant {
  /** Standard deviations from the mean at which outliers begin, as published. */
  public static final double DEVIATIONS = 3;

  private EasyQuant() {}

  /**
   * A tile of rows: Ŵ = dequantized codes + outliers.
   *
   * @param linear where an outlier is, the code is that of zero
   * @param outliers at their places in the whole tensor
   */
  public record Result(QuantizedLinear linear, SparseWeights outliers) {
    /**
     * Ŵ [rows×in].
     *
     * @param firstRow the tile's first row in the whole tensor
     */
    public float[] dequantize(long firstRow) {
      float[] w = linear.dequantize();
      outliers.addTo(w, firstRow * linear.in());
      return w;
    }
  }

  /**
   * Quantizes a tile of rows.
   *
   * @param w [rows×in], not changed
   * @param firstRow the tile's first row in the whole tensor
   * @param rule of the whole tensor
   */
  public static Result quantize(
      float[] w,
      int rows,
      int in,
      long firstRow,
      WeightScheme scheme,
      ScaleFormat format,
      OutlierRule rule) {
    int size = rows * in;
    // A zero adds nothing to any sum of the step search, and every grid has it.
    float[] others = Arrays.copyOf(w, size);
    int count = 0;
    for (int i = 0; i < size; i++) {
      if (rule.takes(w[i])) {
        others[i] = 0;
        count++;
      }
    }
    long[] index = new long[count];
    float[] value = new float[count];
    int found = 0;
    for (int i = 0; found < count; i++) {
      if (rule.takes(w[i])) {
        index[found] = firstRow * in + i;
        value[found++] = w[i];
      }
    }
    QuantizedLinear linear =
        RoundToNearest.quantize(others, rows, in, scheme, format, new FixedPointSearch());
    return new Result(linear, new SparseWeights(index, value));
  }
}
