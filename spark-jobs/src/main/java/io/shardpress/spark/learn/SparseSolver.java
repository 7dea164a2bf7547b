package io.shardpress.spark.learn;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepGroup;
import io.shardpress.spark.learn.blockwise.BlockwiseSolver;
import io.shardpress.spark.learn.blockwise.ExpertStep;
import io.shardpress.spark.learn.gptq.GptqSolver;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.ForwardStep;
import io.shardpress.spark.sweep.Observer;
import io.shardpress.spark.sweep.RoutingObserver;
import io.shardpress.spark.sweep.Span;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.Unobserved;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Learns a block with a mixture of experts: attention by what it leaves in the residual stream,
 * then, on the tokens that this routes to them, every expert by itself.
 */
final class SparseSolver {
  private final SweepContext context;
  private final GptqSolver gptq;
  private final BlockwiseSolver blockwise;

  /**
   * @param gptq null where learning does not start from its result
   * @param blockwise null where GPTQ is all
   */
  SparseSolver(SweepContext context, GptqSolver gptq, BlockwiseSolver blockwise) {
    this.context = context;
    this.gptq = gptq;
    this.blockwise = blockwise;
  }

  /** Fills {@code learned} of a block, and gives what has to run for it. */
  List<StepGroup> prepare(BlockState block) {
    List<StepGroup> steps = new ArrayList<>();
    List<PartKey> full = new ArrayList<>();
    steps.add(middles("middles", block, block.original(), block.full, false, full));
    if (gptq != null) {
      steps.addAll(gptq.prepareAttention(block));
    }
    if (blockwise != null && attention(block)) {
      steps.add(
          new StepGroup(
              blockwise.algorithm(),
              context.where(block.spec.block()).at("attention"),
              List.of(blockwise.prepare(block, full))));
    }
    List<PartKey> routed = new ArrayList<>();
    steps.add(middles("routing", block, block.attentionLink(), block.quantized, true, routed));
    if (gptq != null) {
      steps.addAll(gptq.prepareExperts(block, full, routed));
    }
    if (blockwise != null) {
      steps.add(
          new StepGroup(
              blockwise.algorithm(),
              context.where(block.spec.block()).at("experts"),
              experts(block, full, routed)));
    }
    return steps;
  }

  private static boolean attention(BlockState block) {
    return block.targets.keySet().stream().anyMatch(role -> role.expert() == LinearRole.NONE);
  }

  private StepGroup middles(
      String name,
      BlockState block,
      ChainLink link,
      List<PartKey> inputs,
      boolean routes,
      List<PartKey> parts) {
    Observer beside = routes ? new RoutingObserver() : new Unobserved();
    List<ForwardStep> units =
        context.outputs(link, inputs, Span.ATTENTION, beside).stream()
            .map(ForwardStep::new)
            .toList();
    units.forEach(unit -> parts.add(unit.outputPart()));
    block.passing.addAll(parts);
    return new StepGroup(name, context.where(block.spec.block()), units);
  }

  private List<Step> experts(BlockState block, List<PartKey> full, List<PartKey> routed) {
    List<Step> units = new ArrayList<>();
    for (int expert : block.spec.shape().mixture().numbers()) {
      Map<LinearRole, WeightScheme> schemes = new TreeMap<>();
      Map<LinearRole, LearnedLinear> start = new TreeMap<>();
      for (LinearRole role : LinearRole.ofExpert(expert)) {
        if (block.targets.containsKey(role)) {
          schemes.put(role, block.scheme(role));
        }
        if (block.learned.containsKey(role)) {
          start.put(role, block.learned.get(role));
        }
      }
      if (!schemes.isEmpty()) {
        ExpertStep unit = blockwise.expert(block, expert, schemes, start, full, routed);
        units.add(unit);
        schemes.forEach(
            (role, scheme) -> block.learned.put(role, blockwise.learned(block, role, unit.part())));
      }
    }
    return units;
  }
}
