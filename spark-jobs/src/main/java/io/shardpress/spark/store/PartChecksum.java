package io.shardpress.spark.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

/** CRC-32C of all that a part says: of a row every column, of the footer every note. */
final class PartChecksum {
  private PartChecksum() {}

  /** Of the row that a batch holds, its own checksum apart. */
  static long row(VectorSchemaRoot root) {
    CRC32C crc = new CRC32C();
    text(crc, (VarCharVector) root.getVector(PartSchema.TENSOR));
    text(crc, (VarCharVector) root.getVector(PartSchema.DTYPE));
    ListVector shape = (ListVector) root.getVector(PartSchema.SHAPE);
    BigIntVector sides = (BigIntVector) shape.getDataVector();
    int end = shape.getElementEndIndex(0);
    for (int i = shape.getElementStartIndex(0); i < end; i++) {
      number(crc, sides.get(i));
    }
    number(crc, ((BigIntVector) root.getVector(PartSchema.ROW_START)).get(0));
    number(crc, ((IntVector) root.getVector(PartSchema.ROW_COUNT)).get(0));
    crc.update(data(root));
    return crc.getValue();
  }

  /** Of a part's notes and the number of its rows, as text. */
  static String notes(Map<String, String> notes, int rows) {
    CRC32C crc = new CRC32C();
    new TreeMap<>(notes)
        .forEach(
            (name, value) -> {
              text(crc, name.getBytes(StandardCharsets.UTF_8));
              text(crc, value.getBytes(StandardCharsets.UTF_8));
            });
    number(crc, rows);
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  /** The loaded row's bytes where they lie. */
  static ByteBuffer data(VectorSchemaRoot root) {
    VarBinaryVector column = (VarBinaryVector) root.getVector(PartSchema.DATA);
    int start = column.getStartOffset(0);
    return column.getDataBuffer().nioBuffer(start, column.getEndOffset(0) - start);
  }

  /**
   * The loaded row's text where it lies: with a damaged offset the vector's own accessor would
   * allocate gigabytes.
   */
  static ByteBuffer text(VarCharVector column) {
    int start = column.getStartOffset(0);
    return column.getDataBuffer().nioBuffer(start, column.getEndOffset(0) - start);
  }

  private static void text(CRC32C crc, VarCharVector column) {
    ByteBuffer text = text(column);
    number(crc, text.remaining());
    crc.update(text);
  }

  private static void text(CRC32C crc, byte[] bytes) {
    number(crc, bytes.length);
    crc.update(bytes);
  }

  private static void number(CRC32C crc, long value) {
    crc.update(ByteBuffer.allocate(Long.BYTES).putLong(0, value));
  }
}
