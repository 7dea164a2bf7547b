package io.shardpress.spark.io;

import io.shardpress.schemas.safetensors.Dtype;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * Where the bytes of a tensor lie: what crosses Spark in place of them.
 *
 * @param tensor its name
 * @param file URI of the shard
 * @param position of its first byte in the file
 * @param length in bytes
 * @param shard the file's own name
 * @param stored what its numbers are made of, where they are not stored as they are; then {@code
 *     dtype} is what they are rounded to, {@code length} that of the numbers, and file and position
 *     are those of the first tensor that they are read from. Null for others
 * @param content what its bytes are told from others by, in place of where they lie: SHA-256 in
 *     hex, or in words what they follow from; null until that is known
 */
public record TensorRef(
    String tensor,
    Dtype dtype,
    List<Long> shape,
    @Location String file,
    @Location long position,
    @Location long length,
    @Location String shard,
    @Location StoredWeight stored,
    String content)
    implements Serializable {
  public TensorRef {
    shape = List.copyOf(shape);
  }

  /** A tensor that is stored as it is. */
  public TensorRef(
      String tensor,
      Dtype dtype,
      List<Long> shape,
      String file,
      long position,
      long length,
      String shard) {
    this(tensor, dtype, shape, file, position, length, shard, null, null);
  }

  /**
   * A tensor of numbers that are stored otherwise.
   *
   * @param dtype F32, F16 or BF16: what they are rounded to
   */
  public static TensorRef of(String tensor, Dtype dtype, List<Long> shape, StoredWeight stored) {
    TensorRef first = stored.tensors().get(0);
    long elements = shape.stream().reduce(1L, Math::multiplyExact);
    return new TensorRef(
        tensor,
        dtype,
        shape,
        first.file(),
        first.position(),
        dtype.bytes(elements),
        first.shard(),
        stored,
        null);
  }

  /** The same bytes under another name. */
  TensorRef named(String other) {
    return new TensorRef(other, dtype, shape, file, position, length, shard, stored, content);
  }

  /** The same with what its bytes are told from others by. */
  public TensorRef withContent(String known) {
    return new TensorRef(
        tensor, dtype, shape, file, position, length, shard, stored, Objects.requireNonNull(known));
  }

  /** The tensors of the file that its numbers are read from: itself, or what it is made of. */
  public List<TensorRef> sources() {
    return stored == null ? List.of(this) : stored.tensors();
  }

  /** Bytes that lie in the file for it. */
  public long storedBytes() {
    return sources().stream().mapToLong(TensorRef::length).sum();
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
