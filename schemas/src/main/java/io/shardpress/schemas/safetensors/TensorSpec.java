package io.shardpress.schemas.safetensors;

import java.util.List;

/** A tensor to be written: its name, element type and shape, without a place in a file. */
public record TensorSpec(String name, Dtype dtype, List<Long> shape) {
  public TensorSpec {
    shape = List.copyOf(shape);
    for (long side : shape) {
      if (side < 0) {
        throw new IllegalArgumentException(name + ": negative side in shape " + shape);
      }
    }
  }

  /** Number of elements; 1 for a scalar, whose shape is []. */
  public long elements() {
    return Shapes.elements(shape);
  }

  /** Bytes of data. */
  public long bytes() {
    return dtype.bytes(elements());
  }
}
