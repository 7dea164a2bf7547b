package io.shardpress.schemas.safetensors;

import java.util.List;

/**
 * A tensor as a header describes it.
 *
 * @param begin offset of its first byte from the start of the data
 * @param end offset after its last byte
 */
public record TensorInfo(String name, Dtype dtype, List<Long> shape, long begin, long end) {
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /** Number of elements; 1 for a scalar, whose shape is []. */
  public long elements() {
    return Shapes.elements(shape);
  }

  /** Bytes of data. */
  public long length() {
    return end - begin;
  }
}
