package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.learn.RowFactors;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.OpenParts;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Adds up what partitions have observed of a site's rows, in their order and in f64, and makes the
 * row factors of it: A ← (A + damping·mean·I)/mean, with the mean of the diagonal over the linear,
 * or over the site where all of it is one tile.
 *
 * @param arithmetic backend and loops that numbers depend on
 */
public record RowFactorsStep(
    String arithmetic, List<PartKey> observed, SiteRows rows, double damping) implements Step {
  private static final StepKind KIND = new StepKind("row.factors", 1);

  public RowFactorsStep {
    observed = List.copyOf(observed);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(observed);
  }

  @Override
  public void run(TaskEnvironment environment) {
    List<SiteRows.Tile> tiles = rows.tiles();
    try (OpenParts<Integer> sums = OpenParts.of(environment.store(), observed);
        PartWriter writer = environment.store().write(part())) {
      int first = 0;
      while (first < tiles.size()) {
        int end = first;
        while (end < tiles.size() && tiles.get(end).linear() == tiles.get(first).linear()) {
          end++;
        }
        write(first, end, sums.readers().values(), writer, environment);
        first = end;
      }
      writer.commit();
    }
  }

  /** Tiles [first, end), which have a mean in common. */
  private void write(
      int first,
      int end,
      Iterable<PartReader> parts,
      PartWriter writer,
      TaskEnvironment environment) {
    List<float[]> squares = new ArrayList<>();
    double diagonal = 0;
    long count = 0;
    for (int tile = first; tile < end; tile++) {
      environment.checkpoint();
      float[] square = sum(tile, parts);
      squares.add(square);
      diagonal += RowFactors.diagonalSum(square);
      count += rows.tiles().get(tile).count();
    }
    for (int tile = first; tile < end; tile++) {
      float[] square = squares.get(tile - first);
      RowFactors.normalise(square, diagonal / count, damping);
      RowFactorsObserver.write(writer, rows, tile, square);
    }
  }

  private float[] sum(int tile, Iterable<PartReader> parts) {
    int n = rows.tiles().get(tile).count();
    double[] total = new double[Math.multiplyExact(n, n)];
    float[] values = new float[total.length];
    for (PartReader part : parts) {
      if (part.notes().containsKey(RowFactorsObserver.none(rows))) {
        continue;
      }
      int length = part.floats(rows.name(tile), 0, n, values, 0);
      for (int i = 0; i < length; i++) {
        total[i] += values[i];
      }
    }
    for (int i = 0; i < total.length; i++) {
      values[i] = (float) total[i];
    }
    return values;
  }

  /** Reads a tile's A [n×n]. */
  static float[] read(PartStore store, PartKey part, SiteRows rows, int tile) {
    int n = rows.tiles().get(tile).count();
    float[] square = new float[Math.multiplyExact(n, n)];
    try (PartReader reader = store.read(part)) {
      reader.floats(rows.name(tile), 0, n, square, 0);
    }
    return square;
  }
}
