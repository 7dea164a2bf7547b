package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.learn.RowFactors;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.GradientObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sums of |x|²·g·gᵀ over a partition's tokens, for the rows that see one another. */
public record RowFactorsObserver() implements GradientObserver {
  @Override
  public Gathering begin(BlockShape shape, TaskEnvironment environment) {
    return new Sums(shape, environment.matmul());
  }

  private static final class Sums implements Gathering {
    private record Key(Stage site, int expert) {}

    private final BlockShape shape;
    private final Matmul matmul;
    private final Map<Key, RowFactors> factors = new HashMap<>();

    Sums(BlockShape shape, Matmul matmul) {
      this.shape = shape;
      this.matmul = matmul;
    }

    @Override
    public void stage(StageGradients stage, Workers workers) {
      factors
          .computeIfAbsent(
              new Key(stage.stage(), stage.expert()),
              key -> new RowFactors(SiteRows.of(shape, key.site, key.expert).tiling(), matmul))
          .add(stage, workers);
    }

    /** Of an expert that no token went through there is nothing. */
    @Override
    public void write(PartWriter writer) {
      for (SiteRows rows : SiteRows.of(shape)) {
        RowFactors sums = factors.get(new Key(rows.site(), rows.expert()));
        if (sums == null) {
          writer.note(none(rows), "");
          continue;
        }
        for (int tile = 0; tile < rows.tiles().size(); tile++) {
          RowFactorsObserver.write(writer, rows, tile, sums.sum(tile));
        }
      }
    }
  }

  /** The note that nothing came through some rows. */
  static String none(SiteRows rows) {
    return "none of " + rows.site() + " " + rows.expert();
  }

  /** Writes a tile's matrix [n×n]. */
  static void write(PartWriter writer, SiteRows rows, int tile, float[] square) {
    int n = rows.tiles().get(tile).count();
    writer.addFloats(rows.name(tile), List.of((long) n, (long) n), 0, n, square, 0);
  }
}
