package io.shardpress.spark.block;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.EasyQuant;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.SparseWeights;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.Optional;

/**
 * A tile of a learned linear's rows in a part: the rows MODULE.codes (I32, packed along the rows as
 * compressed-tensors packs them), MODULE.scales (F32), MODULE.zeros (U8) and the note MODULE.error
 * (squared error, squared weights). For learners that start from it there is MODULE.compensated
 * (F32); where groups are no runs of columns MODULE.groups (I32, the group of each column); with
 * outliers MODULE.outlier_places (I64, row-major in the whole linear), MODULE.outliers (F32) and
 * the note MODULE.outlier_count; with NVFP4 the note MODULE.global_scale.
 */
public final class TileCodec {
  private static final String CODES = ".codes";
  private static final String SCALES = ".scales";
  private static final String ZEROS = ".zeros";
  private static final String ERROR = ".error";
  private static final String COMPENSATED = ".compensated";
  private static final String GROUPS = ".groups";
  private static final String PLACES = ".outlier_places";
  private static final String OUTLIERS = ".outliers";
  private static final String COUNT = ".outlier_count";
  private static final String GLOBAL_SCALE = ".global_scale";

  private TileCodec() {}

  /**
   * Writes a tile.
   *
   * @param out rows of the whole linear
   * @param tile the rows from {@code rowStart} on
   * @param original their weights before quantization, for the error
   * @param compensated as GPTQ left them, or null
   */
  public static void write(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      QuantizedLinear tile,
      float[] original,
      float[] compensated) {
    write(writer, module, out, rowStart, tile, WeightError.of(tile.dequantize(), original));
    if (compensated != null) {
      List<Long> shape = List.of((long) out, (long) tile.in());
      writer.addFloats(module + COMPENSATED, shape, rowStart, tile.out(), compensated, 0);
    }
  }

  /** Writes a tile whose groups are no runs of columns. */
  public static void write(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      IndexedLinear tile,
      float[] original) {
    QuantizedLinear codes =
        new QuantizedLinear(tile.out(), tile.in(), tile.scheme(), tile.codes(), tile.steps());
    write(writer, module, out, rowStart, codes, WeightError.of(tile.dequantize(), original));
    List<Long> shape = List.of((long) tile.in());
    writer.add(PartRow.ofInts(module + GROUPS, shape, 0, tile.in(), tile.groupIndex()));
  }

  /** Writes a tile with its outliers. */
  public static void write(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      EasyQuant.Result tile,
      float[] original) {
    WeightError error = WeightError.of(tile.dequantize(rowStart), original);
    write(writer, module, out, rowStart, tile.linear(), error);
    SparseWeights outliers = tile.outliers();
    writer.note(module + COUNT, String.valueOf(outliers.count()));
    if (outliers.count() > 0) {
      writer.add(PartRow.ofLongs(module + PLACES, outliers.index()));
      writer.add(PartRow.ofFloats(module + OUTLIERS, outliers.value()));
    }
  }

  private static void write(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      QuantizedLinear tile,
      WeightError error) {
    int bits = tile.scheme().bits();
    int[] packed = new int[tile.out() * BitPacking.words(tile.in(), bits)];
    BitPacking.packRows(tile.codes(), 0, tile.out(), tile.in(), bits, packed, 0);
    writePacked(writer, module, out, rowStart, packed, tile.steps(), error);
  }

  /**
   * Writes a tile whose codes are packed already.
   *
   * @param packed rows of words, as {@link BitPacking} packs them
   * @param steps of the tile's rows
   */
  public static void writePacked(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      int[] packed,
      Steps steps,
      WeightError error) {
    long groups = steps.groups();
    int rows = Math.toIntExact(steps.scales().length / groups);
    List<Long> words = List.of((long) out, (long) packed.length / rows);
    writer.add(PartRow.ofInts(module + CODES, words, rowStart, rows, packed));
    List<Long> shape = List.of((long) out, groups);
    writer.addFloats(module + SCALES, shape, rowStart, rows, steps.scales(), 0);
    byte[] zeros = new byte[steps.zeros().length];
    for (int i = 0; i < zeros.length; i++) {
      zeros[i] = (byte) steps.zeros()[i];
    }
    writer.add(new PartRow(module + ZEROS, Dtype.U8, shape, rowStart, rows, zeros));
    writer.note(module + ERROR, error.error() + " " + error.weights());
  }

  /** Notes what the scales of a tile are divided by. */
  public static void writeGlobalScale(PartWriter writer, String module, float scale) {
    writer.note(module + GLOBAL_SCALE, Float.toHexString(scale));
  }

  /** The packed codes, little-endian words. */
  static byte[] packed(PartReader reader, String module) {
    return reader.row(module + CODES).data();
  }

  /**
   * Unpacks the codes.
   *
   * @param codes [… × in], from row {@code first} of the linear on
   */
  static void codes(
      PartReader reader, String module, int in, WeightScheme scheme, byte[] codes, int first) {
    PartRow row = reader.row(module + CODES);
    int at = Math.toIntExact(row.rowStart()) - first;
    BitPacking.unpackRows(row.ints(), 0, row.rowCount(), in, scheme.bits(), codes, at * in);
  }

  /**
   * Reads scales and zero points.
   *
   * @param steps from row {@code first} of the linear on
   */
  static void steps(PartReader reader, String module, Steps steps, int first) {
    PartRow scales = reader.row(module + SCALES);
    int at = (Math.toIntExact(scales.rowStart()) - first) * steps.groups();
    scales.floats(steps.scales(), at);
    byte[] zeros = reader.row(module + ZEROS).data();
    for (int i = 0; i < zeros.length; i++) {
      steps.zeros()[at + i] = zeros[i] & 0xFF;
    }
  }

  /** Reads the compensated weights into those of the whole linear. */
  static void compensated(PartReader reader, String module, int in, float[] weights) {
    PartRow row = reader.row(module + COMPENSATED);
    row.floats(weights, Math.toIntExact(row.rowStart() * in));
  }

  /** The group of each column. */
  static int[] groups(PartReader reader, String module) {
    return reader.row(module + GROUPS).ints();
  }

  /** The tile's outliers. */
  static SparseWeights outliers(PartReader reader, String module) {
    if (Integer.parseInt(reader.note(module + COUNT)) == 0) {
      return new SparseWeights(new long[0], new float[0]);
    }
    return new SparseWeights(
        reader.row(module + PLACES).longs(), reader.row(module + OUTLIERS).floats());
  }

  static float globalScale(PartReader reader, String module) {
    return Float.parseFloat(reader.note(module + GLOBAL_SCALE));
  }

  /** What is noted of the tile. */
  static LinearStatistics statistics(PartReader reader, LearnedLinear linear) {
    String[] sums = reader.note(linear.module() + ERROR).split(" ");
    WeightError error = new WeightError(Double.parseDouble(sums[0]), Double.parseDouble(sums[1]));
    int outliers =
        linear.scheme().outliers() ? Integer.parseInt(reader.note(linear.module() + COUNT)) : 0;
    Optional<CalibrationTokens> tokens = CalibrationTokens.read(reader, linear.module());
    return new LinearStatistics(error, outliers, tokens);
  }
}
