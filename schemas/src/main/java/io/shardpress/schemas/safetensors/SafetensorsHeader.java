package io.shardpress.schemas.safetensors;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.WrongContent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The header of a safetensors file: u64 LE length N, N bytes of JSON, then the data. Rejects what
 * the format's own reader rejects (safetensors 24b0b28, {@code SafeTensors::read_metadata}), so
 * that every byte of the data belongs to exactly one tensor.
 */
public final class SafetensorsHeader {
  /** Bytes of the length that stands before the JSON text. */
  public static final int PREFIX_BYTES = 8;

  /** The longest header that readers of the format take, in bytes. */
  public static final long MAX_HEADER_BYTES = 100_000_000;

  private final long dataStart;
  private final List<TensorInfo> tensors;
  private final Map<String, String> metadata;

  SafetensorsHeader(long dataStart, List<TensorInfo> tensors, Map<String, String> metadata) {
    this.dataStart = dataStart;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * The length N of the JSON text, checked before anybody allocates it.
   *
   * @param prefix the first bytes of the file, {@link #PREFIX_BYTES} of them or all there are
   * @throws CheckpointException where the file is too short for a header of N bytes or N is beyond
   *     {@link #MAX_HEADER_BYTES}
   */
  public static int headerLength(String file, long fileLength, byte[] prefix) {
    if (fileLength < PREFIX_BYTES || prefix.length < PREFIX_BYTES) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found %d bytes, wanted at least the 8 of a safetensors header length; the file"
                  + " is truncated, fetch it again",
              file,
              Math.min(fileLength, prefix.length)));
    }
    long length = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (Long.compareUnsigned(length, Math.min(MAX_HEADER_BYTES, fileLength - PREFIX_BYTES)) > 0) {
      WrongContent.of(prefix)
          .ifPresent(
              what -> {
                throw new CheckpointException(
                    file + ": found " + what + "; wanted a safetensors file");
              });
    }
    if (Long.compareUnsigned(length, MAX_HEADER_BYTES) > 0) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found a header length of %s at offset 0, wanted at most %d; this is not a"
                  + " safetensors file, or it is damaged: fetch it again",
              file,
              Long.toUnsignedString(length),
              MAX_HEADER_BYTES));
    }
    if (length > fileLength - PREFIX_BYTES) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found a header length of %d at offset 0, wanted at most the %d bytes that follow;"
                  + " the file is truncated, fetch it again",
              file,
              length,
              fileLength - PREFIX_BYTES));
    }
    return (int) length;
  }

  /**
   * Reads a header.
   *
   * @param file the name to put in messages
   * @param fileLength bytes of the whole file
   * @param json the N header bytes after the length prefix
   * @throws CheckpointException for everything that formats.md lists: bad UTF-8 or JSON, duplicate
   *     names, holes, overlaps, overflows, sizes that disagree
   */
  public static SafetensorsHeader parse(String file, long fileLength, byte[] json) {
    return new HeaderParser(file, fileLength, json).parse();
  }

  /** Offset of the data in the file: 8 + N. */
  public long dataStart() {
    return dataStart;
  }

  /** All tensors, in the order of their offsets. */
  public List<TensorInfo> tensors() {
    return tensors;
  }

  /** {@code __metadata__}, empty if absent. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Length prefix and JSON text, padded with spaces to a multiple of 8 bytes, for tensors that lie
   * in the order given.
   *
   * @throws IllegalArgumentException where a name occurs twice
   */
  public static byte[] write(List<TensorSpec> inOrder, Map<String, String> metadata) {
    return HeaderWriter.write(inOrder, metadata);
  }

  /** The order that the format's own writer uses: descending dtype width, then name. */
  public static List<TensorSpec> writingOrder(List<TensorSpec> tensors) {
    return HeaderWriter.order(tensors);
  }
}
