package io.shardpress.spark.io;

import java.util.List;

/**
 * Bytes [start, start + length) of a file.
 *
 * @param length may reach beyond the file's end
 */
public record FileSlice(String file, long start, long length) {
  /** A whole file of any length. */
  public static FileSlice whole(String file) {
    return new FileSlice(file, 0, Long.MAX_VALUE);
  }

  /** What lies in files for a tensor. */
  public static List<FileSlice> of(TensorRef tensor) {
    return tensor.sources().stream()
        .map(source -> new FileSlice(source.file(), source.position(), source.length()))
        .toList();
  }

  /**
   * What lies in files for rows [rowStart, rowStart + rowCount) of a tensor; of one that is stored
   * otherwise, all that it is made of.
   */
  public static List<FileSlice> ofRows(TensorRef tensor, long rowStart, int rowCount) {
    if (tensor.stored() != null) {
      return of(tensor);
    }
    long begin = tensor.bytesOfRows(rowStart);
    long end = tensor.bytesOfRows(rowStart + rowCount);
    return List.of(new FileSlice(tensor.file(), tensor.position() + begin, end - begin));
  }

  /** Bytes that it has in common with [from, to) of the same file. */
  long within(long from, long to) {
    long end = length > Long.MAX_VALUE - start ? Long.MAX_VALUE : start + length;
    return Math.max(0, Math.min(end, to) - Math.max(start, from));
  }
}
