package io.shardpress.spark.io;

import io.shardpress.schemas.safetensors.Dtype;
import java.io.Serializable;
import java.util.List;

/**
 * Where the bytes of a tensor lie: what crosses Spark in place of them.
 *
 * @param tensor its name
 * @param file URI of the shard
 * @param position of its first byte in the file
 * @param length in bytes
 * @param shard the file's own name
 */
public record TensorRef(
    String tensor,
    Dtype dtype,
    List<Long> shape,
    String file,
    long position,
    long length,
    String shard)
    implements Serializable {
  public TensorRef {
    shape = List.copyOf(shape);
  }

  /** Rows: the first side, 1 for a scalar. */
  public long rows() {
    return shape.isEmpty() ? 1 : shape.get(0);
  }

  /** Elements of a row: the product of the other sides, 1 for a vector; 0 if any side is 0. */
  public long columns() {
    if (shape.contains(0L)) {
      return 0;
    }
    long product = 1;
    for (int i = 1; i < shape.size(); i++) {
      product = Math.multiplyExact(product, shape.get(i));
    }
    return product;
  }

  /** All elements. */
  public long elements() {
    return Math.multiplyExact(rows(), columns());
  }

  /**
   * Bytes of that many rows from the first on.
   *
   * @throws ArithmeticException where they end inside a byte, as rows of 4- and 6-bit types can
   */
  public long bytesOfRows(long rows) {
    return dtype.bytes(Math.multiplyExact(rows, columns()));
  }
}
