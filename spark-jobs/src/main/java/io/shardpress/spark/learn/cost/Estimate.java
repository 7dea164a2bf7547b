package io.shardpress.spark.learn.cost;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.CoupledSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.ScaleSettings;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.learn.coupled.SiteRows;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.Collection;
import java.util.List;

/**
 * What a run will cost, from shapes alone: an upper bound, for a calibrated one as if every linear
 * of every block were learned on as many windows as are asked for.
 *
 * @param flops multiplications and additions of all matrix products, Cholesky factors included
 * @param taskBytes of the arrays that the largest task holds at once
 */
public record Estimate(double flops, long taskBytes) {
  // Of a rounded tile, for each weight: as f32 from the file, a copy that is clipped or scaled,
  // what
  // the codes stand for, and codes as bytes, as words, and twice on their way into the part.
  private static final int ROUNDING_BYTES = 3 * Float.BYTES + 4;

  /** What rounding without text costs: no products, and a tile of rows at a time. */
  public static Estimate ofRounding(Collection<PlanEntry> quantized) {
    long most = 0;
    for (PlanEntry entry : quantized) {
      // The first tile is as large as any.
      most = Math.max(most, (long) RowTile.of(entry.out(), entry.in()).get(0).count() * entry.in());
    }
    return new Estimate(0, most * ROUNDING_BYTES);
  }

  /**
   * @param windows of the calibration text
   * @param window tokens of one
   */
  public static Estimate of(ModelConfig config, Modifier modifier, int windows, int window) {
    if (config.sparse(config.layers() - 1)) {
      return new SparseEstimate(config, modifier, windows, window).estimate();
    }
    double tokens = (double) windows * window;
    List<LinearRole> linears = config.linears(config.layers() - 1);
    double weights = 0;
    double solving = 0;
    for (LinearRole role : linears) {
      double out = role.out(config);
      double in = role.in(config);
      weights += out * in;
      // Errors carried on (half of a full product) and targets corrected.
      solving += 3 * out * in * in;
    }
    double attention = 2.0 * window * config.heads() * config.headDim();
    double forward = tokens * (2 * weights + attention);
    double statistics = 0;
    double widest = 0;
    BlockShape shape = BlockShape.of(config, config.layers() - 1);
    for (Stage stage : Stage.values()) {
      double in = shape.in(stage);
      // XᵀX by its symmetry, the product of both chains, then factors and their inverses.
      statistics += 3 * tokens * in * in + 4 * in * in * in;
      widest = Math.max(widest, in);
    }
    // H̃, P, the factor, the correction, and H̃ again for the descent; a block's weights in both
    // chains; a batch in both.
    double batch = Math.max(Batches.ELEMENTS, window * widest);
    double elements = 5 * widest * widest + 2 * weights + 12 * batch;
    if (modifier.groups().stream().anyMatch(one -> one.weights().order() != ActOrder.NONE)) {
      // H̃ and P once more, in the order of the columns.
      elements += 2 * widest * widest;
    }
    double flops = 2 * forward + statistics + solving;
    if (modifier.learnsByBlocks()) {
      BlockwiseSettings course = BlockwiseSettings.of(modifier);
      double parameters = 0;
      double low = 0;
      for (LinearRole role : linears) {
        int out = role.out(config);
        int in = role.in(config);
        // FlexRound and AutoRound have a parameter for each weight, and no products for them.
        double rank =
            modifier.kind() == ModifierKind.LRQ ? LrqSettings.of(modifier).rank(out, in) : 0;
        parameters += rank > 0 ? rank * (out + in) : (double) out * in;
        low += rank * out * in;
      }
      double passes = 3.0 * course.batchSize() * window * (2 * weights + attention);
      int steps = course.iterations() + course.touchUp();
      double start = modifier.solvesByGptq() ? flops : forward;
      // Steps on the scales have no products of low rank.
      flops = start + steps * (passes + 6 * low) + course.scaleIterations() * passes + 2 * forward;
      // W, v, Ŵ and gradients beside the original; parameters, gradients, moments, the best seen.
      double learning = 5 * weights + 5 * parameters + 24.0 * course.batchSize() * window * widest;
      elements = Math.max(elements, learning);
    }
    if (modifier.kind() == ModifierKind.LRQ && !modifier.learnsByBlocks()) {
      // A step by layer: the error by H̃, and the three products with L and U.
      double step = 0;
      for (LinearRole role : linears) {
        int out = role.out(config);
        int in = role.in(config);
        step += 2.0 * out * in * in + 6.0 * LrqSettings.of(modifier).rank(out, in) * out * in;
      }
      flops += BlockwiseSettings.of(modifier).iterations() * step;
    }
    if (modifier.kind() == ModifierKind.COUPLED) {
      flops += coupling(modifier, shape, tokens, forward);
    }
    ScaleSettings scales = ScaleSettings.of(modifier);
    if (scales.iterations() > 0) {
      // Steps, and then the quantized chain's way through the whole block again.
      double steps = (double) scales.iterations() * scales.batchSize() * window;
      flops += 3 * steps * (2 * weights + attention) + forward;
      int tasks = scales.tasks(SamplePartition.of(windows, window).size());
      int together = scales.together(tasks);
      // Integers, Ŵ and gradients; activations of a part of the batch, and their gradients.
      elements = Math.max(elements, 2.25 * weights + 24.0 * together * window * widest);
    }
    return new Estimate(flops * config.layers(), (long) (elements * Float.BYTES));
  }

  /** Of a block: the way there and back, sums of row factors, and the descent. */
  private static double coupling(
      Modifier modifier, BlockShape shape, double tokens, double forward) {
    CoupledSettings settings = CoupledSettings.of(modifier);
    double flops = forward + 3 * settings.draws() * forward;
    for (SiteRows rows : SiteRows.of(shape)) {
      for (SiteRows.Tile tile : rows.tiles()) {
        double n = tile.count();
        double in = rows.in();
        flops += settings.draws() * tokens * n * n;
        // Each turn: the steps' slopes twice, and sweeps.
        flops += settings.rounds() * (settings.sweeps() + 2) * 2 * n * in * (in + n);
      }
    }
    return flops;
  }
}
