package io.shardpress.schemas.arrow;

import java.util.List;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The table of a checkpoint's weights: a row is a block of whole rows of one tensor (a tile). Spark
 * has no half floats and no fixed-size lists, so data are the bytes as they lie in the file, beside
 * their dtype.
 */
public final class WeightTable {
  /** The tensor's name. */
  public static final String TENSOR = "tensor";

  /** The block's number; null outside the blocks. */
  public static final String LAYER = "layer";

  /** What the tensor is in its block: q, k, v, o, gate, up, down and so on. */
  public static final String ROLE = "role";

  /** Name of the file that it lies in. */
  public static final String SHARD = "shard";

  /** Its dtype, as safetensors names it. */
  public static final String DTYPE = "dtype";

  /** The whole tensor's shape. */
  public static final String SHAPE = "shape";

  /** The tile's first row. */
  public static final String ROW_START = "row_start";

  /** The tile's number of rows. */
  public static final String ROW_COUNT = "row_count";

  /** The tile's bytes, little-endian, row-major. */
  public static final String DATA = "data";

  private WeightTable() {}

  /** The columns in order. */
  public static Schema schema() {
    ArrowType int64 = new ArrowType.Int(64, true);
    return new Schema(
        List.of(
            required(TENSOR, ArrowType.Utf8.INSTANCE),
            Field.nullable(LAYER, new ArrowType.Int(32, true)),
            required(ROLE, ArrowType.Utf8.INSTANCE),
            required(SHARD, ArrowType.Utf8.INSTANCE),
            required(DTYPE, ArrowType.Utf8.INSTANCE),
            new Field(
                SHAPE,
                FieldType.notNullable(ArrowType.List.INSTANCE),
                List.of(required("element", int64))),
            required(ROW_START, int64),
            required(ROW_COUNT, new ArrowType.Int(32, true)),
            required(DATA, ArrowType.Binary.INSTANCE)));
  }

  private static Field required(String name, ArrowType type) {
    return new Field(name, FieldType.notNullable(type), null);
  }
}
