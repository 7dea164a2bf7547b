package io.shardpress.spark.io;

import java.io.Serializable;
import java.util.List;

/**
 * A tensor that a checkpoint does not hold as floating-point numbers: what its numbers are made of.
 * {@link TensorReader} reads it as it reads others, row by row; a descriptor that crosses Spark.
 */
public interface StoredWeight extends Serializable {
  /**
   * Rows [rowStart, rowStart + rowCount) as f32, row-major, not yet rounded to any dtype.
   *
   * @throws io.shardpress.schemas.CheckpointException where a value is not finite, or what is
   *     stored is not what the header promises
   */
  float[] rows(TensorReader reader, long rowStart, int rowCount);

  /** The tensors that it is read from, the one with its integers or codes first. */
  List<TensorRef> tensors();

  /**
   * How it is stored, in a few words for people. With the bytes of {@link #tensors} it decides
   * every number: names of parts hold it.
   */
  String form();
}
