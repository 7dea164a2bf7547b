package io.shardpress.spark.job;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.unit.ChainLink;
import io.shardpress.spark.unit.FactorUnit;
import io.shardpress.spark.unit.LearnedLinear;
import io.shardpress.spark.unit.RowTile;
import io.shardpress.spark.unit.SamplePartition;
import io.shardpress.spark.unit.SolveUnit;
import io.shardpress.spark.unit.StageUnit;
import io.shardpress.spark.unit.UnitOfWork;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Solves blocks by GPTQ, in the four stages of a block: moments over sample partitions, their
 * factors, then linears by tiles of rows.
 */
final class GptqSolver {
  private final ChainContext context;
  private final GptqParameters parameters;

  GptqSolver(ChainContext context, GptqParameters parameters) {
    this.context = context;
    this.parameters = parameters;
  }

  /**
   * The units of a stage, in the order in which their parts depend on one another.
   *
   * @param where names its Spark jobs
   */
  record StageUnits(
      String where, List<UnitOfWork> passes, List<UnitOfWork> factors, List<UnitOfWork> solves) {
    /** The same stage of two groups of blocks, side by side. */
    StageUnits with(StageUnits other) {
      return new StageUnits(
          where,
          both(passes, other.passes),
          both(factors, other.factors),
          both(solves, other.solves));
    }

    private static List<UnitOfWork> both(List<UnitOfWork> one, List<UnitOfWork> other) {
      List<UnitOfWork> all = new ArrayList<>(one);
      all.addAll(other);
      return all;
    }
  }

  /** Fills {@code learned} and {@code states} of a block, and gives what has to run for it. */
  List<StageUnits> prepare(BlockState block) {
    Map<LinearRole, LearnedLinear> solved = new TreeMap<>();
    List<StageUnits> stages = new ArrayList<>();
    for (Stage stage : Stage.values()) {
      stages.add(prepare(stage, block, solved));
    }
    block.learned.putAll(solved);
    return stages;
  }

  /** Runs what was prepared. */
  TaskRunner.Ran run(List<StageUnits> stages) {
    TaskRunner runner = context.runner();
    TaskRunner.Ran ran = TaskRunner.Ran.NOTHING;
    for (StageUnits stage : stages) {
      ran =
          ran.plus(runner.run("statistics", stage.where(), stage.passes()))
              .plus(runner.run("factors", stage.where(), stage.factors()))
              .plus(runner.run("gptq", stage.where(), stage.solves()));
    }
    return ran;
  }

  private StageUnits prepare(Stage stage, BlockState block, Map<LinearRole, LearnedLinear> solved) {
    List<UnitOfWork> passes = new ArrayList<>();
    List<UnitOfWork> factors = new ArrayList<>();
    List<UnitOfWork> solves = new ArrayList<>();
    // Without true_sequential a stage sees the block's own linears as they were.
    ChainLink link =
        parameters.settings().trueSequential()
            ? new ChainLink(block.spec, new TreeMap<>(solved))
            : block.original();
    Correction corrected = correction(stage, block, link);
    List<PartKey> statistics = new ArrayList<>();
    for (SamplePartition samples : context.samples()) {
      StageUnit pass = pass(stage, block, link, samples, corrected);
      passes.add(pass);
      statistics.add(pass.statistics());
    }
    // All linears of a stage that want an order have the same one: it is that of their inputs.
    Map<Boolean, FactorUnit> byOrder = new TreeMap<>();
    for (LinearRole role : block.spec.shape().linears(stage)) {
      if (block.targets.containsKey(role)) {
        FactorUnit factor =
            byOrder.computeIfAbsent(
                block.scheme(role).order() != ActOrder.NONE,
                ordered -> factor(stage, block, statistics, corrected, ordered));
        solved.put(role, solve(role, block, factor, solves));
      }
    }
    factors.addAll(byOrder.values());
    return new StageUnits("blocks " + block.spec.block() + "+ " + stage, passes, factors, solves);
  }

  private Correction correction(Stage stage, BlockState block, ChainLink link) {
    boolean same = block.full.equals(block.quantized) && link.learned().isEmpty();
    if (parameters.settings().alpha() == 0 || same) {
      return Correction.NONE;
    }
    // Behind a norm of its own an output does not reach the residual stream as it is.
    boolean direct = !block.spec.shape().traits().outputNorms();
    return stage.addsToResidual() && direct ? Correction.OUTPUTS : Correction.INPUTS;
  }

  private StageUnit pass(
      Stage stage,
      BlockState block,
      ChainLink link,
      SamplePartition samples,
      Correction corrected) {
    int p = samples.index();
    PartKey.Builder key =
        context
            .key("statistics")
            .add("stage", stage)
            .add("block", block.digest)
            .add("full", block.full.get(p))
            .add("quantized", block.quantized.get(p))
            .add("corrected", corrected);
    link.learned().forEach((role, linear) -> key.add(role.label(), linear.tiles()));
    PartKey statistics = key.build();
    PartKey state = stage == Stage.QKV ? null : PartKey.of("state").add("of", statistics).build();
    StageUnit unit =
        new StageUnit(
            statistics, state, stage, link, block.inputs(p), samples, context.window(), corrected);
    block.passing.addAll(unit.parts());
    if (state != null) {
      block.states.get(p).put(stage, state);
    }
    return unit;
  }

  private FactorUnit factor(
      Stage stage,
      BlockState block,
      List<PartKey> statistics,
      Correction corrected,
      boolean ordered) {
    PartKey key =
        context
            .key("factors")
            .add("statistics", statistics)
            .add("damping", parameters.settings().dampeningFrac())
            .add("lambda", parameters.settings().damping())
            .add("ordered", ordered)
            .add("moments", keepMoments())
            .build();
    block.passing.add(key);
    int in = block.spec.shape().in(stage);
    return new FactorUnit(
        key,
        statistics,
        in,
        corrected,
        StageUnit.correctionRows(corrected, stage, block.spec.shape()),
        ordered,
        keepMoments(),
        parameters.settings().dampeningFrac(),
        parameters.settings().damping());
  }

  private boolean keepMoments() {
    return parameters.settings().descentRounds() > 0 || parameters.layer() != null;
  }

  private LearnedLinear solve(
      LinearRole role, BlockState block, FactorUnit factor, List<UnitOfWork> solves) {
    PlanEntry entry = block.targets.get(role);
    List<PartKey> tiles = new ArrayList<>();
    for (RowTile tile : RowTile.of(entry.out(), entry.in())) {
      PartKey key =
          context
              .key("gptq")
              .add("factors", factor.part())
              .add("weight", context.digests().of(entry.source()))
              .add("tile", tile)
              .add("scheme", block.scheme(role))
              .add("format", context.plan().scaleFormat())
              .add("step search", parameters.settings().stepSearch())
              .add("block size", parameters.settings().blockSize())
              .add("alpha", parameters.settings().alpha())
              .add("rounds", parameters.settings().descentRounds())
              .add("sweeps", parameters.settings().descentSweeps())
              .add("compensated", parameters.keepCompensated())
              .add("layer", String.valueOf(parameters.layer()))
              .build();
      tiles.add(key);
      solves.add(
          new SolveUnit(
              key,
              factor,
              entry.module(),
              entry.source(),
              tile,
              block.scheme(role),
              context.plan().scaleFormat(),
              parameters.settings().stepSearch(),
              parameters.settings().blockSize(),
              parameters.settings().alpha(),
              parameters.settings().descentRounds(),
              parameters.settings().descentSweeps(),
              parameters.keepCompensated(),
              parameters.layer(),
              block.spec.block(),
              role.label()));
    }
    if (parameters.keepCompensated()) {
      block.passing.addAll(tiles);
    }
    return new LearnedLinear(entry.module(), entry.out(), entry.in(), block.scheme(role), tiles);
  }
}
