package io.shardpress.spark.block;

import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.SparseWeights;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A learned linear in the store: tiles of its rows, each in a part as {@link TileCodec} has it.
 * Each method reads only the rows that it needs.
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

  /** What the scales are divided by; every tile has the same. */
  public float readGlobalScale(PartStore store) {
    try (PartReader reader = store.read(tiles.get(0))) {
      return TileCodec.globalScale(reader, module);
    }
  }

  /** Its weights [out×in]. */
  public float[] dequantize(PartStore store) {
    QuantizedLinear linear = quantized(store, 0, out);
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
    requireRuns();
    return quantized(store, 0, out);
  }

  /** The steps that a learner begins with, where those of {@link #read} are all that it takes. */
  public Steps readStartingSteps(PartStore store) {
    requireRuns();
    return readSteps(store);
  }

  private void requireRuns() {
    if (scheme.indexed() || scheme.outliers()) {
      throw new IllegalStateException(module + " is more than integers in runs of columns");
    }
  }

  /** Rows that are those of all the tiles, as a linear of their own. */
  public QuantizedLinear readRows(PartStore store, RowTile rows) {
    requireRuns();
    return quantized(store, rows.start(), rows.count());
  }

  /** A tile alone, as a linear of its rows. */
  public QuantizedLinear readTile(PartStore store, int index, RowTile tile) {
    return new LearnedLinear(module, out, in, scheme, List.of(tiles.get(index)))
        .quantized(store, tile.start(), tile.count());
  }

  /** The rows [first, first + rows), which are those of all the tiles. */
  private QuantizedLinear quantized(PartStore store, int first, int rows) {
    byte[] codes = new byte[rows * in];
    Steps steps = new Steps(rows, scheme.groups(in));
    forEachTile(
        store,
        reader -> {
          TileCodec.codes(reader, module, in, scheme, codes, first);
          TileCodec.steps(reader, module, steps, first);
        });
    return new QuantizedLinear(rows, in, scheme, codes, steps);
  }

  /** GPTQ's compensated weights [out×in]. */
  public float[] readCompensated(PartStore store) {
    float[] compensated = new float[out * in];
    forEachTile(store, reader -> TileCodec.compensated(reader, module, in, compensated));
    return compensated;
  }

  /** The tokens that a tile's expert was calibrated on; empty where no router chose them. */
  public Optional<CalibrationTokens> readTokens(PartStore store, int tile) {
    try (PartReader reader = store.read(tiles.get(tile))) {
      return CalibrationTokens.read(reader, module);
    }
  }

  /** Takes the packed codes of a tile's rows. */
  @FunctionalInterface
  public interface PackedTiles {
    void accept(byte[] codes) throws IOException;
  }

  /**
   * Gives the packed codes to {@code consumer}, tile after tile in the order of their rows.
   *
   * @throws IOException what {@code consumer} throws
   */
  public void forEachPackedTile(PartStore store, PackedTiles consumer) throws IOException {
    for (PartKey tile : tiles) {
      try (PartReader reader = store.read(tile)) {
        consumer.accept(TileCodec.packed(reader, module));
      }
    }
  }

  /** The group of each column [in]; every tile has the same. */
  public int[] readGroupIndex(PartStore store) {
    try (PartReader reader = store.read(tiles.get(0))) {
      return TileCodec.groups(reader, module);
    }
  }

  /** The outliers of all tiles. */
  public SparseWeights readOutliers(PartStore store) {
    List<SparseWeights> each = store.readEach(tiles, reader -> TileCodec.outliers(reader, module));
    int count = each.stream().mapToInt(SparseWeights::count).sum();
    long[] places = new long[count];
    float[] values = new float[count];
    int at = 0;
    for (SparseWeights tile : each) {
      System.arraycopy(tile.index(), 0, places, at, tile.count());
      System.arraycopy(tile.value(), 0, values, at, tile.count());
      at += tile.count();
    }
    return new SparseWeights(places, values);
  }

  /** Scales and zero points [out × groups]; reads no codes. */
  public Steps readSteps(PartStore store) {
    Steps steps = new Steps(out, scheme.groups(in));
    forEachTile(store, reader -> TileCodec.steps(reader, module, steps, 0));
    return steps;
  }

  private void forEachTile(PartStore store, Consumer<PartReader> consumer) {
    for (PartKey tile : tiles) {
      try (PartReader reader = store.read(tile)) {
        consumer.accept(reader);
      }
    }
  }
}
