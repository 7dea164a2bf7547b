package io.shardpress.spark.store;

import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The columns of a part file, an Arrow IPC file with one row to a record batch, so that rows can be
 * read alone. As a weight table, with a checksum of each row in place of the shard.
 */
final class PartSchema {
  static final String TENSOR = "tensor";
  static final String DTYPE = "dtype";
  static final String SHAPE = "shape";
  static final String ROW_START = "row_start";
  static final String ROW_COUNT = "row_count";
  static final String CRC32C = "crc32c";
  static final String DATA = "data";

  /** The note that says what each row holds, see {@link PartIndex}. */
  static final String INDEX = "shardpress.rows";

  /** The note that holds the checksum of the others. */
  static final String NOTES_CRC32C = "shardpress.crc32c";

  private static final ArrowType UTF8 = new ArrowType.Utf8();
  private static final ArrowType INT = new ArrowType.Int(32, true);
  private static final ArrowType LONG = new ArrowType.Int(64, true);

  private PartSchema() {}

  static Schema of(PartKey key) {
    return new Schema(
        List.of(
            field(TENSOR, UTF8),
            field(DTYPE, UTF8),
            new Field(
                SHAPE,
                FieldType.notNullable(new ArrowType.List()),
                List.of(field("element", LONG))),
            field(ROW_START, LONG),
            field(ROW_COUNT, INT),
            field(CRC32C, LONG),
            field(DATA, new ArrowType.Binary())),
        Map.of("shardpress.part", key.hex(), "shardpress.format", String.valueOf(PartKey.FORMAT)));
  }

  private static Field field(String name, ArrowType type) {
    return new Field(name, FieldType.notNullable(type), null);
  }
}
