package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.learn.RowFactors;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.recipe.CoupledSettings;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BackwardSweep;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.List;

/**
 * How the end loss couples rows, for every site of a model: one way of the text through the
 * full-precision model and back. It depends on model and text alone, so its parts stay in the store
 * for every scheme and format.
 */
public final class Curvature {
  // With fewer samples than that for each row of a tile, A is mostly noise off its diagonal.
  private static final int SAMPLES_PER_ROW = 16;
  private static final double DAMPING_OF_FEW = 0.5;

  private final SweepContext context;
  private final BackwardSweep sweep;
  private final List<List<RowFactorsStep>> steps = new ArrayList<>();
  private StepRunner.Ran ran = StepRunner.Ran.NOTHING;

  /**
   * @param embeddings the first block's inputs
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public Curvature(
      SweepContext context,
      Embeddings embeddings,
      CoupledSettings settings,
      boolean keepActivations) {
    this.context = context;
    sweep =
        new BackwardSweep(
            context,
            embeddings,
            settings.seed(),
            settings.draws(),
            keepActivations,
            new RowFactorsObserver());
    long tokens = context.samples().stream().mapToLong(samples -> samples.count()).sum();
    long samples = tokens * context.window() * settings.draws();
    for (int block = 0; block < context.plan().config().layers(); block++) {
      BlockShape shape = context.block(block).shape();
      List<PartKey> observed = sweep.observed(block);
      steps.add(SiteRows.of(shape).stream().map(rows -> step(observed, rows, samples)).toList());
    }
  }

  private RowFactorsStep step(List<PartKey> observed, SiteRows rows, long samples) {
    int widest = rows.tiles().stream().mapToInt(SiteRows.Tile::count).max().orElse(1);
    boolean enough = samples >= (long) SAMPLES_PER_ROW * widest;
    double damping = enough ? RowFactors.DAMPING : DAMPING_OF_FEW;
    return new RowFactorsStep(context.arithmetic(), observed, rows, damping);
  }

  /** What makes the row factors of a site, or of an expert's linears there. */
  RowFactorsStep at(int block, Stage site, int expert) {
    return steps.get(block).stream()
        .filter(step -> step.rows().site() == site && step.rows().expert() == expert)
        .findFirst()
        .orElseThrow();
  }

  /** The parts that stay in the store, there or not. */
  public List<PartKey> parts() {
    return steps.stream().flatMap(List::stream).map(RowFactorsStep::part).toList();
  }

  /** What it cost in this run. */
  public StepRunner.Ran ran() {
    return ran;
  }

  /** Makes what an earlier run has not. */
  public void make() {
    StepRunner runner = context.runner();
    List<Boolean> wanted = steps.stream().map(each -> !runner.missing(each).isEmpty()).toList();
    if (!wanted.contains(true)) {
      runner.found("row factors", parts().size());
      return;
    }
    ran =
        ran.plus(
            sweep.run(
                wanted,
                block -> runner.run("row factors", context.where(block), steps.get(block))));
  }
}
