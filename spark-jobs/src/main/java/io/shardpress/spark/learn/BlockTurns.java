package io.shardpress.spark.learn;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.CoupledSettings;
import io.shardpress.schemas.recipe.GptqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.ScaleSettings;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.StepGroup;
import io.shardpress.spark.learn.blockwise.BlockwiseSolver;
import io.shardpress.spark.learn.blockwise.BlockwiseStep;
import io.shardpress.spark.learn.coupled.CoupledRefinement;
import io.shardpress.spark.learn.coupled.Curvature;
import io.shardpress.spark.learn.gptq.GptqParameters;
import io.shardpress.spark.learn.gptq.GptqSolver;
import io.shardpress.spark.learn.gptq.LayerCourse;
import io.shardpress.spark.learn.gptq.Refinement;
import io.shardpress.spark.learn.scales.ScaleSteps;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockOutput;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.Span;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.Unobserved;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Names everything that learning a model's blocks consists of, and runs nothing: so that a run can
 * begin where an earlier one has come to, and a plan can say where that is.
 *
 * @param sideBySide turns of blocks that learn on full-precision inputs; empty where they learn in
 *     order only
 * @param inOrder turns of blocks that learn on what the blocks before give; empty where they learn
 *     side by side only
 * @param curvature how the end loss couples rows, which is made before; empty where nobody asks
 */
public record BlockTurns(
    List<BlockTurn> sideBySide, List<BlockTurn> inOrder, Optional<Curvature> curvature) {
  /**
   * The turns of a run.
   *
   * @param embeddings the first block's inputs
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public static BlockTurns of(
      SweepContext context, Embeddings embeddings, boolean keepActivations) {
    return new Namer(context, embeddings, keepActivations).turns(embeddings.parts());
  }

  /** The turns that give what is published. */
  public List<BlockTurn> last() {
    return inOrder.isEmpty() ? sideBySide : inOrder;
  }

  /** What is learned in the end, by module. */
  public Map<String, LearnedLinear> learned() {
    return learned(last());
  }

  /**
   * The parts that stay in the store, there or not.
   *
   * @param keepActivations whether blocks' inputs stay too
   */
  public List<PartKey> parts(boolean keepActivations) {
    List<PartKey> parts = new ArrayList<>();
    curvature.ifPresent(known -> parts.addAll(known.parts()));
    for (List<BlockTurn> turns : List.of(sideBySide, inOrder)) {
      for (BlockTurn turn : turns) {
        turn.parts().forEach(parts::add);
        if (keepActivations) {
          parts.addAll(turn.block().full);
          parts.addAll(turn.block().quantized);
        }
      }
    }
    return parts;
  }

  private static Map<String, LearnedLinear> learned(List<BlockTurn> turns) {
    Map<String, LearnedLinear> learned = new HashMap<>();
    for (BlockTurn turn : turns) {
      turn.block().learned.values().forEach(linear -> learned.put(linear.module(), linear));
    }
    return learned;
  }

  private static final class Namer {
    private final SweepContext context;
    private final Map<String, PlanEntry> entries;
    private final Modifier modifier;
    private final BlockwiseSettings blockwise;
    private final Optional<Curvature> curvature;

    Namer(SweepContext context, Embeddings embeddings, boolean keepActivations) {
      this.context = context;
      this.entries = context.plan().quantized();
      this.modifier = context.learner();
      this.blockwise = modifier.kind().blockwise() ? BlockwiseSettings.of(modifier) : null;
      this.curvature =
          modifier.kind() == ModifierKind.COUPLED
              ? Optional.of(
                  new Curvature(context, embeddings, CoupledSettings.of(modifier), keepActivations))
              : Optional.empty();
    }

    BlockTurns turns(List<PartKey> embedded) {
      boolean parallel =
          modifier.learnsByBlocks() && blockwise.order() == BlockwiseSettings.Order.PARALLEL;
      if (!parallel) {
        return new BlockTurns(List.of(), inOrder(embedded), curvature);
      }
      boolean touchUp = blockwise.touchUp() > 0;
      List<BlockTurn> first = sideBySide(embedded, touchUp);
      return new BlockTurns(
          first, touchUp ? touchUp(embedded, learned(first)) : List.of(), curvature);
    }

    private List<BlockTurn> inOrder(List<PartKey> embedded) {
      List<BlockTurn> turns = new ArrayList<>();
      List<PartKey> full = embedded;
      List<PartKey> quantized = embedded;
      for (int i = 0; i < context.plan().config().layers(); i++) {
        BlockState block = block(i, full, quantized);
        BlockTurn turn =
            modifier.learnsByBlocks() ? blockwise(block, blockwise, true, false) : gptq(block);
        turns.add(turn);
        full = BlockOutput.parts(turn.nextFull());
        quantized = BlockOutput.parts(turn.nextQuantized());
      }
      return turns;
    }

    private List<BlockTurn> sideBySide(List<PartKey> embedded, boolean again) {
      List<BlockTurn> turns = new ArrayList<>();
      List<PartKey> full = embedded;
      for (int i = 0; i < context.plan().config().layers(); i++) {
        BlockTurn turn = blockwise(block(i, full, full), blockwise, true, again);
        List<BlockOutput> local = against(outputs(turn.block().link(), full), turn.nextFull());
        turns.add(
            new BlockTurn(
                turn.block(),
                turn.solver(),
                turn.stages(),
                turn.unit(),
                null,
                turn.nextFull(),
                local));
        full = BlockOutput.parts(turn.nextFull());
      }
      return turns;
    }

    private List<BlockTurn> touchUp(List<PartKey> embedded, Map<String, LearnedLinear> start) {
      List<BlockTurn> turns = new ArrayList<>();
      List<PartKey> full = embedded;
      List<PartKey> quantized = embedded;
      BlockwiseSettings course = blockwise.withIterations(blockwise.touchUp());
      for (int i = 0; i < context.plan().config().layers(); i++) {
        BlockState block = block(i, full, quantized);
        block.targets.forEach((role, entry) -> block.learned.put(role, start.get(entry.module())));
        BlockTurn turn = blockwise(block, course, false, false);
        turns.add(turn);
        full = BlockOutput.parts(turn.nextFull());
        quantized = BlockOutput.parts(turn.nextQuantized());
      }
      return turns;
    }

    private BlockTurn gptq(BlockState block) {
      LayerCourse layer = modifier.kind() == ModifierKind.LRQ ? LayerCourse.of(modifier) : null;
      GptqParameters parameters = new GptqParameters(GptqSettings.of(modifier), false, layer);
      GptqSolver solver = new GptqSolver(context, parameters, refinement());
      if (block.sparse()) {
        return sparse(block, solver, null);
      }
      List<StepGroup> stages = block.targets.isEmpty() ? List.of() : solver.prepare(block);
      ScaleSettings scales = ScaleSettings.of(modifier);
      ScaleSteps steps = null;
      if (scales.iterations() > 0 && !block.targets.isEmpty()) {
        List<PartKey> targets = BlockOutput.parts(outputs(block.original(), block.full));
        steps = new ScaleSteps(context, scales, block, targets);
      }
      return turn(block, solver, stages, null, steps);
    }

    private Refinement refinement() {
      return curvature
          .<Refinement>map(
              known ->
                  new CoupledRefinement(
                      context,
                      known,
                      CoupledSettings.of(modifier),
                      GptqSettings.of(modifier).alpha()))
          .orElse(Refinement.NONE);
    }

    /**
     * @param fresh whether it starts from the weights, by GPTQ where that is asked for
     * @param again whether another learner will start from the result
     */
    private BlockTurn blockwise(
        BlockState block, BlockwiseSettings course, boolean fresh, boolean again) {
      if (block.targets.isEmpty()) {
        return turn(block, null, List.of(), null, null);
      }
      GptqSolver solver = null;
      if (fresh && modifier.solvesByGptq()) {
        solver = new GptqSolver(context, new GptqParameters(GptqSettings.of(modifier), true));
      }
      BlockwiseSolver learner = new BlockwiseSolver(context, modifier, course, again);
      if (block.sparse()) {
        return sparse(block, solver, learner);
      }
      List<StepGroup> stages = solver == null ? List.of() : solver.prepare(block);
      List<PartKey> targets = BlockOutput.parts(outputs(block.original(), block.full));
      BlockwiseStep unit = learner.prepare(block, targets);
      return turn(block, solver, stages, unit, null);
    }

    private BlockTurn sparse(BlockState block, GptqSolver gptq, BlockwiseSolver learner) {
      List<StepGroup> steps =
          block.targets.isEmpty()
              ? List.of()
              : new SparseSolver(context, gptq, learner).prepare(block);
      return turn(block, gptq, steps, null, null);
    }

    private BlockTurn turn(
        BlockState block,
        GptqSolver solver,
        List<StepGroup> stages,
        BlockwiseStep unit,
        ScaleSteps steps) {
      List<BlockOutput> full = outputs(block.original(), block.full);
      // Before the first quantized block both chains are one.
      boolean same = block.learned.isEmpty() && block.full.equals(block.quantized);
      List<BlockOutput> quantized =
          same ? full : against(outputs(block.link(), block.quantized), full);
      return new BlockTurn(block, solver, stages, unit, steps, full, quantized);
    }

    private BlockState block(int number, List<PartKey> full, List<PartKey> quantized) {
      BlockSpec spec = context.block(number);
      Map<LinearRole, PlanEntry> targets = new TreeMap<>();
      spec.modules()
          .forEach(
              (role, module) -> {
                if (entries.containsKey(module)) {
                  targets.put(role, entries.get(module));
                }
              });
      return new BlockState(spec, targets, full, quantized);
    }

    /** What a block makes of these inputs. */
    private List<BlockOutput> outputs(ChainLink link, List<PartKey> inputs) {
      return context.outputs(link, inputs, Span.BLOCK, new Unobserved());
    }

    /** The same with their errors against what the full-precision chain gives. */
    private static List<BlockOutput> against(List<BlockOutput> outputs, List<BlockOutput> full) {
      List<BlockOutput> compared = new ArrayList<>();
      for (int i = 0; i < outputs.size(); i++) {
        compared.add(outputs.get(i).against(full.get(i).part()));
      }
      return compared;
    }
  }
}
