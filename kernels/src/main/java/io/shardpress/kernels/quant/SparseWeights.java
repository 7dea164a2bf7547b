package io.shardpress.kernels.quant;

/**
 * A few weights of a tensor, kept as they were.
 *
 * @param index row-major places in the whole tensor, ascending
 * @param value the weights there
 */
public record SparseWeights(long[] index, float[] value) {
  /** How many there are. */
  public int count() {
    return index.length;
  }

  /**
   * Adds the values to a dense tile that holds all their places.
   *
   * @param w row-major
   * @param first row-major place in the whole tensor of the tile's first element
   */
  public void addTo(float[] w, long first) {
    for (int i = 0; i < index.length; i++) {
      w[Math.toIntExact(index[i] - first)] += value[i];
    }
  }
}
