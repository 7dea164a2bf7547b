package io.shardpress.spark.block;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.EasyQuant;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.SparseWeights;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A learned linear in the store: tiles of its rows, each in a part. A tile's rows of the part are
 * MODULE.codes (I32, packed along the rows as compressed-tensors packs them), MODULE.scales (F32),
 * MODULE.zeros (U8), MODULE.error (F64: squared error, squared weights), for learners that start
 * from it MODULE.compensated (F32), where groups are no runs of columns MODULE.groups (I32, the
 * group of each column), and with outliers those of the tile: MODULE.outlier_places (I64, row-major
 * in the whole linear), MODULE.outliers (F32) and the note MODULE.outlier_count; with NVFP4 the
 * note MODULE.global_scale.
 *
 * @param module its name
 * @param tiles the parts, in the order of the rows that they hold
 */
public record LearnedLinear(
    String module, int out, int in, WeightScheme scheme, List<PartKey> tiles)
    implements Serializable {
  public LearnedLinear {
    tiles = List.copyOf(tiles);
  }

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

  /** Squared error of a linear's weights and their squared sum. */
  public record WeightError(double error, double weights) {
    /** ‖Ŵ − W‖² / ‖W‖². */
    public double relative() {
      return weights == 0 ? 0 : error / weights;
    }
  }

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
    int rows = tile.out();
    int[] packed = pack(tile.codes(), rows, tile.in(), tile.scheme());
    WeightError error = error(tile.dequantize(), original);
    writePacked(writer, module, out, rowStart, packed, tile.steps(), error);
    if (compensated != null) {
      writer.add(
          PartRow.ofFloats(
              module + COMPENSATED,
              List.of((long) out, (long) tile.in()),
              rowStart,
              rows,
              compensated,
              0));
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
    int[] packed = pack(tile.codes(), tile.out(), tile.in(), tile.scheme());
    WeightError error = error(tile.dequantize(), original);
    writePacked(writer, module, out, rowStart, packed, tile.steps(), error);
    writer.add(
        new PartRow(
            module + GROUPS,
            Dtype.I32,
            List.of((long) tile.in()),
            0,
            tile.in(),
            bytes(tile.groupIndex())));
  }

  /** Writes a tile with its outliers. */
  public static void write(
      PartWriter writer,
      String module,
      int out,
      int rowStart,
      EasyQuant.Result tile,
      float[] original) {
    QuantizedLinear linear = tile.linear();
    int[] packed = pack(linear.codes(), linear.out(), linear.in(), linear.scheme());
    WeightError error = error(tile.dequantize(rowStart), original);
    writePacked(writer, module, out, rowStart, packed, linear.steps(), error);
    int count = tile.outliers().count();
    writer.note(module + COUNT, String.valueOf(count));
    if (count > 0) {
      List<Long> shape = List.of((long) count);
      ByteBuffer places =
          ByteBuffer.allocate(Math.multiplyExact(count, Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
      places.asLongBuffer().put(tile.outliers().index());
      writer.add(new PartRow(module + PLACES, Dtype.I64, shape, 0, count, places.array()));
      writer.add(PartRow.ofFloats(module + OUTLIERS, shape, 0, count, tile.outliers().value(), 0));
    }
  }

  /** Notes what the scales of a tile are divided by. */
  public static void writeGlobalScale(PartWriter writer, String module, float scale) {
    writer.note(module + GLOBAL_SCALE, Float.toHexString(scale));
  }

  /** What the scales are divided by; every tile has the same. */
  public float readGlobalScale(PartStore store) {
    try (PartReader reader = store.read(tiles.get(0))) {
      return Float.parseFloat(reader.note(module + GLOBAL_SCALE));
    }
  }

  private static int[] pack(byte[] codes, int rows, int in, WeightScheme scheme) {
    int[] packed = new int[rows * BitPacking.words(in, scheme.bits())];
    BitPacking.packRows(codes, 0, rows, in, scheme.bits(), packed, 0);
    return packed;
  }

  private static byte[] bytes(int[] words) {
    ByteBuffer bytes =
        ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(words);
    return bytes.array();
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
    int words = packed.length / rows;
    writer.add(
        new PartRow(
            module + CODES,
            Dtype.I32,
            List.of((long) out, (long) words),
            rowStart,
            rows,
            bytes(packed)));
    writer.add(
        PartRow.ofFloats(
            module + SCALES, List.of((long) out, groups), rowStart, rows, steps.scales(), 0));
    byte[] zeros = new byte[steps.zeros().length];
    for (int i = 0; i < zeros.length; i++) {
      zeros[i] = (byte) steps.zeros()[i];
    }
    writer.add(
        new PartRow(module + ZEROS, Dtype.U8, List.of((long) out, groups), rowStart, rows, zeros));
    writer.note(module + ERROR, error.error() + " " + error.weights());
  }

  private static WeightError error(float[] dequantized, float[] original) {
    double error = 0;
    double weights = 0;
    for (int i = 0; i < original.length; i++) {
      double difference = (double) original[i] - dequantized[i];
      error += difference * difference;
      weights += (double) original[i] * original[i];
    }
    return new WeightError(error, weights);
  }

  /** What an expert's linear was calibrated on. */
  public CalibrationTokens readCalibrationTokens(PartStore store) {
    return CalibrationTokens.read(store, tiles.get(0), module);
  }

  /** Its weights [out×in]. */
  public float[] dequantize(PartStore store) {
    QuantizedLinear linear = quantized(store);
    if (!scheme.indexed()) {
      float[] w = linear.dequantize();
      if (scheme.outliers()) {
        readOutliers(store).addTo(w, 0);
      }
      return w;
    }
    int[] groups = readGroupIndex(store);
    return new IndexedLinear(out, in, scheme, linear.codes(), linear.steps(), groups).dequantize();
  }

  /** The whole linear, where integers in groups of neighbouring columns are all of it. */
  public QuantizedLinear read(PartStore store) {
    if (scheme.indexed() || scheme.outliers()) {
      throw new IllegalStateException(module + " is more than integers in runs of columns");
    }
    return quantized(store);
  }

  /** A tile alone, as a linear of its rows. */
  public QuantizedLinear readTile(PartStore store, int index, RowTile tile) {
    return new LearnedLinear(module, out, in, scheme, List.of(tiles.get(index)))
        .quantized(store, tile.start(), tile.count());
  }

  private QuantizedLinear quantized(PartStore store) {
    return quantized(store, 0, out);
  }

  /** The rows [first, first + rows), which are those of all the tiles. */
  private QuantizedLinear quantized(PartStore store, int first, int rows) {
    byte[] codes = new byte[rows * in];
    Steps steps = new Steps(rows, scheme.groups(in));
    int words = BitPacking.words(in, scheme.bits());
    forEachRow(
        store,
        row -> {
          int at = Math.toIntExact(row.rowStart()) - first;
          if (row.tensor().equals(module + CODES)) {
            int[] packed = new int[row.rowCount() * words];
            ByteBuffer.wrap(row.data()).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(packed);
            BitPacking.unpackRows(packed, 0, row.rowCount(), in, scheme.bits(), codes, at * in);
          } else {
            fill(steps, first, row);
          }
        });
    return new QuantizedLinear(rows, in, scheme, codes, steps);
  }

  /** GPTQ's compensated weights [out×in]. */
  public float[] readCompensated(PartStore store) {
    float[] compensated = new float[out * in];
    forEachRow(
        store,
        row -> {
          if (row.tensor().equals(module + COMPENSATED)) {
            row.floats(compensated, Math.toIntExact(row.rowStart() * in));
          }
        });
    return compensated;
  }

  /** The sum of the tiles' errors; reads no weights. */
  public WeightError readError(PartStore store) {
    double error = 0;
    double weights = 0;
    for (PartKey tile : tiles) {
      try (PartReader reader = store.read(tile)) {
        String[] sums = reader.note(module + ERROR).split(" ");
        error += Double.parseDouble(sums[0]);
        weights += Double.parseDouble(sums[1]);
      }
    }
    return new WeightError(error, weights);
  }

  /** Takes the packed codes of a tile's rows. */
  @FunctionalInterface
  public interface PackedTiles {
    void accept(byte[] codes) throws IOException;
  }

  /**
   * Gives the packed codes to {@code tiles}, tile after tile in the order of their rows.
   *
   * @throws IOException what {@code tiles} throws
   */
  public void forEachPackedTile(PartStore store, PackedTiles tiles) throws IOException {
    forEachRow(
        store,
        row -> {
          if (row.tensor().equals(module + CODES)) {
            tiles.accept(row.data());
          }
        });
  }

  /** The group of each column [in]; every tile has the same. */
  public int[] readGroupIndex(PartStore store) {
    try (PartReader reader = store.read(tiles.get(0))) {
      for (int i = 0; i < reader.rows(); i++) {
        PartRow row = reader.row(i);
        if (row.tensor().equals(module + GROUPS)) {
          int[] groups = new int[in];
          ByteBuffer.wrap(row.data()).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(groups);
          return groups;
        }
      }
    }
    throw new IllegalStateException(module + ": no groups in part " + tiles.get(0).hex());
  }

  /** The outliers of all tiles. */
  public SparseWeights readOutliers(PartStore store) {
    int count = countOutliers(store);
    long[] places = new long[count];
    float[] values = new float[count];
    // Places and values of a tile stand in this order.
    int[] at = new int[1];
    forEachRow(
        store,
        row -> {
          if (row.tensor().equals(module + PLACES)) {
            ByteBuffer.wrap(row.data())
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .get(places, at[0], row.rowCount());
          } else if (row.tensor().equals(module + OUTLIERS)) {
            at[0] += row.floats(values, at[0]);
          }
        });
    return new SparseWeights(places, values);
  }

  /** How many outliers there are; reads no weights. */
  public int countOutliers(PartStore store) {
    int count = 0;
    for (PartKey tile : tiles) {
      try (PartReader reader = store.read(tile)) {
        count += Integer.parseInt(reader.note(module + COUNT));
      }
    }
    return count;
  }

  /** Scales [out × groups] and zero points, without the codes being unpacked. */
  public Steps readSteps(PartStore store) {
    Steps steps = new Steps(out, scheme.groups(in));
    forEachRow(store, row -> fill(steps, 0, row));
    return steps;
  }

  private void fill(Steps steps, int first, PartRow row) {
    int at = (Math.toIntExact(row.rowStart()) - first) * steps.groups();
    if (row.tensor().equals(module + SCALES)) {
      row.floats(steps.scales(), at);
    } else if (row.tensor().equals(module + ZEROS)) {
      for (int i = 0; i < row.data().length; i++) {
        steps.zeros()[at + i] = row.data()[i] & 0xFF;
      }
    }
  }

  /** Takes rows of parts; what it throws ends the reading. */
  @FunctionalInterface
  private interface Rows<E extends Exception> {
    void accept(PartRow row) throws E;
  }

  private <E extends Exception> void forEachRow(PartStore store, Rows<E> rows) throws E {
    for (PartKey tile : tiles) {
      try (PartReader reader = store.read(tile)) {
        for (int i = 0; i < reader.rows(); i++) {
          PartRow row = reader.row(i);
          if (row.tensor().startsWith(module + ".")) {
            rows.accept(row);
          }
        }
      }
    }
  }
}
