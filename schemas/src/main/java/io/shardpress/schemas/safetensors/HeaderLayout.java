package io.shardpress.schemas.safetensors;

import io.shardpress.schemas.CheckpointException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Checks that tensors sorted by offset fill the data of a file without hole or overlap, each with
 * exactly the bytes that its shape and dtype need.
 */
final class HeaderLayout {
  private final String file;
  private final long dataStart;
  private final long fileLength;

  HeaderLayout(String file, long dataStart, long fileLength) {
    this.file = file;
    this.dataStart = dataStart;
    this.fileLength = fileLength;
  }

  /** The same tensors in the order of their offsets; empty ones at one offset go by name. */
  List<TensorInfo> check(List<TensorInfo> tensors) {
    List<TensorInfo> inOrder =
        tensors.stream()
            .sorted(
                Comparator.comparingLong(TensorInfo::begin)
                    .thenComparingLong(TensorInfo::end)
                    .thenComparing(TensorInfo::name))
            .toList();
    long at = 0;
    String before = "the data's start";
    for (TensorInfo tensor : inOrder) {
      place(tensor, at, before);
      size(tensor);
      at = tensor.end();
      before = "tensor " + tensor.name();
    }
    end(at, before);
    return inOrder;
  }

  private void place(TensorInfo tensor, long wanted, String before) {
    if (tensor.end() < tensor.begin()) {
      throw bad(
          tensor,
          String.format(
              Locale.ROOT,
              "found end %d before begin %d in data_offsets",
              tensor.end(),
              tensor.begin()));
    }
    if (tensor.begin() != wanted) {
      String what =
          tensor.begin() < wanted
              ? "overlaps " + before + " by " + (wanted - tensor.begin()) + " bytes"
              : "leaves a hole of " + (tensor.begin() - wanted) + " bytes after " + before;
      throw bad(
          tensor,
          String.format(
              Locale.ROOT,
              "%s: found begin %d, wanted %d (data offset)",
              what,
              tensor.begin(),
              wanted));
    }
  }

  private void size(TensorInfo tensor) {
    long wanted;
    try {
      wanted = tensor.dtype().bytes(tensor.elements());
    } catch (ArithmeticException e) {
      throw bad(
          tensor,
          String.format(
              "shape %s of %s gives no size: its bits overflow 64 bits or do not fill whole bytes",
              tensor.shape(), tensor.dtype()));
    }
    if (wanted != tensor.length()) {
      throw bad(
          tensor,
          String.format(
              Locale.ROOT,
              "found %d bytes at data_offsets [%d, %d], wanted %d for shape %s of %s",
              tensor.length(),
              tensor.begin(),
              tensor.end(),
              wanted,
              tensor.shape(),
              tensor.dtype()));
    }
  }

  private void end(long dataBytes, String last) {
    // Compared by subtraction: dataBytes may be near the end of the long range.
    long found = fileLength - dataStart;
    if (found != dataBytes) {
      String what = found < dataBytes ? "the file is truncated" : "bytes follow the last tensor";
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: %s: found %d bytes of data after offset %d, wanted %d (the end of %s); fetch it"
                  + " again",
              file,
              what,
              found,
              dataStart,
              dataBytes,
              last));
    }
  }

  private CheckpointException bad(TensorInfo tensor, String what) {
    return new CheckpointException(
        String.format(
            "%s: tensor %s: %s; the file is damaged, fetch it again", file, tensor.name(), what));
  }
}
