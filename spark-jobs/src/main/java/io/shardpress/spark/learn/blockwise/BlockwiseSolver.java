package io.shardpress.spark.learn.blockwise;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.SweepContext;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Learns blocks by their output error, a task for each, from GPTQ's result, an earlier learner's,
 * or round to nearest.
 */
public final class BlockwiseSolver {
  private final SweepContext context;
  private final ModifierKind kind;
  private final BlockwiseSettings settings;
  private final LrqSettings lrq;
  private final boolean keepRounded;

  /**
   * @param settings in place of the modifier's own, where it runs for a second time
   * @param keepRounded whether another learner will start from the result
   */
  public BlockwiseSolver(
      SweepContext context, Modifier modifier, BlockwiseSettings settings, boolean keepRounded) {
    this.context = context;
    this.kind = modifier.kind();
    this.settings = settings;
    this.lrq = kind == ModifierKind.LRQ ? LrqSettings.of(modifier) : null;
    this.keepRounded = keepRounded;
  }

  /**
   * Replaces what a block has learned, which is where it starts from, and gives what has to run for
   * it.
   *
   * @param targets full-precision outputs of the block, by sample partition
   */
  public BlockwiseStep prepare(BlockState block, List<PartKey> targets) {
    BlockwiseStep unit = unit(block, targets);
    unit.schemes()
        .keySet()
        .forEach(role -> block.learned.put(role, learned(block, role, unit.part())));
    return unit;
  }

  /** What recipes call the learner. */
  public String algorithm() {
    return kind.algorithm();
  }

  /** A linear of a block that a part holds all of. */
  public LearnedLinear learned(BlockState block, LinearRole role, PartKey part) {
    PlanEntry entry = block.targets.get(role);
    return new LearnedLinear(
        entry.module(), entry.out(), entry.in(), block.scheme(role), List.of(part));
  }

  /**
   * What has to run for an expert.
   *
   * @param start what its linears have from GPTQ or an earlier learner
   * @param full residual streams in full precision before the experts, by sample partition
   * @param routed those of the quantized chain, with their routing
   */
  public ExpertStep expert(
      BlockState block,
      int expert,
      Map<LinearRole, WeightScheme> schemes,
      Map<LinearRole, LearnedLinear> start,
      List<PartKey> full,
      List<PartKey> routed) {
    return new ExpertStep(
        context.arithmetic(),
        block.spec,
        expert,
        schemes,
        context.plan().scaleFormat(),
        start,
        full,
        routed,
        context.samples(),
        context.window(),
        kind,
        settings,
        lrq,
        keepRounded);
  }

  private BlockwiseStep unit(BlockState block, List<PartKey> targets) {
    Map<LinearRole, WeightScheme> schemes = new TreeMap<>();
    Map<LinearRole, LearnedLinear> start = new TreeMap<>();
    for (LinearRole role : block.targets.keySet()) {
      if (role.expert() == LinearRole.NONE) {
        schemes.put(role, block.scheme(role));
        if (block.learned.containsKey(role)) {
          start.put(role, block.learned.get(role));
        }
      }
    }
    return new BlockwiseStep(
        context.arithmetic(),
        block.spec,
        schemes,
        context.plan().scaleFormat(),
        start,
        block.quantized,
        targets,
        context.samples(),
        context.window(),
        kind,
        settings,
        lrq,
        keepRounded);
  }
}
