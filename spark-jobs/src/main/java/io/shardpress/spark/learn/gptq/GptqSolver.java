package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepGroup;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.ExpertMomentsStep;
import io.shardpress.spark.sweep.MomentsObserver;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.SiteStep;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Solves blocks by GPTQ, in the four stages of a block: moments over sample partitions, their
 * factors, then linears by tiles of rows.
 */
public final class GptqSolver {
  private final SweepContext context;
  private final GptqParameters parameters;
  private final Refinement refinement;

  public GptqSolver(SweepContext context, GptqParameters parameters) {
    this(context, parameters, Refinement.NONE);
  }

  /**
   * @param refinement what goes on from GPTQ's result
   */
  public GptqSolver(SweepContext context, GptqParameters parameters, Refinement refinement) {
    this.context = context;
    this.parameters = parameters;
    this.refinement = refinement;
  }

  /** Fills {@code learned} and {@code states} of a block, and gives what has to run for it. */
  public List<StepGroup> prepare(BlockState block) {
    Map<LinearRole, LearnedLinear> solved = new TreeMap<>();
    List<StepGroup> steps = new ArrayList<>();
    for (Stage stage : Stage.values()) {
      steps.addAll(prepare(stage, block, solved));
    }
    block.learned.putAll(solved);
    return steps;
  }

  /** The same for the attention of a block with a mixture of experts. */
  public List<StepGroup> prepareAttention(BlockState block) {
    Map<LinearRole, LearnedLinear> solved = new TreeMap<>();
    List<StepGroup> steps = new ArrayList<>(prepare(Stage.QKV, block, solved));
    steps.addAll(prepare(Stage.O, block, solved));
    block.learned.putAll(solved);
    return steps;
  }

  /**
   * The same for its experts, each by itself, behind the passes that say where tokens go.
   *
   * @param full residual streams in full precision before the experts, by sample partition
   * @param routed those of the quantized chain, with their routing
   */
  public List<StepGroup> prepareExperts(
      BlockState block, List<PartKey> full, List<PartKey> routed) {
    List<StepGroup> steps = new ArrayList<>();
    for (Stage stage : List.of(Stage.GATE_UP, Stage.DOWN)) {
      steps.addAll(prepareExperts(stage, block, full, routed));
    }
    return steps;
  }

  private List<StepGroup> prepareExperts(
      Stage stage, BlockState block, List<PartKey> full, List<PartKey> routed) {
    List<Step> passes = new ArrayList<>();
    List<Step> factors = new ArrayList<>();
    List<Step> solves = new ArrayList<>();
    List<Step> refined = new ArrayList<>();
    ChainLink link = parameters.settings().trueSequential() ? block.link() : block.attentionLink();
    boolean same = full.equals(routed) || parameters.settings().alpha() == 0;
    Correction corrected = same ? Correction.NONE : Correction.INPUTS;
    Map<LinearRole, LearnedLinear> solved = new TreeMap<>();
    for (List<Integer> experts : ExpertMomentsStep.groups(block.spec.shape(), stage, corrected)) {
      List<PartKey> statistics = new ArrayList<>();
      for (SamplePartition samples : context.samples()) {
        int p = samples.index();
        ChainLink needed = new ChainLink(link.spec(), ofExperts(link.learned(), experts));
        ExpertMomentsStep pass =
            new ExpertMomentsStep(
                context.arithmetic(),
                stage,
                needed,
                experts,
                full.get(p),
                routed,
                samples,
                context.window(),
                corrected);
        passes.add(pass);
        PartKey part = pass.part();
        statistics.add(part);
        block.passing.add(part);
      }
      for (int place = 0; place < experts.size(); place++) {
        int expert = experts.get(place);
        List<LinearRole> roles =
            LinearRole.ofExpert(expert).stream().filter(role -> Stage.of(role) == stage).toList();
        int in = block.spec.shape().in(roles.get(0));
        Sums sums = new Sums(statistics, place, expert, in, corrected, in);
        Map<LinearRole, FactorStep> used = solve(roles, block, sums, factors, solves, solved);
        refinement.refine(block, stage, expert, used, solved, refined);
      }
    }
    block.learned.putAll(solved);
    return steps(where(block, "experts " + stage), passes, factors, solves, refined);
  }

  private static Map<LinearRole, LearnedLinear> ofExperts(
      Map<LinearRole, LearnedLinear> learned, List<Integer> experts) {
    Map<LinearRole, LearnedLinear> some = new TreeMap<>();
    learned.forEach(
        (role, linear) -> {
          if (experts.contains(role.expert())) {
            some.put(role, linear);
          }
        });
    return some;
  }

  private List<StepGroup> steps(
      Where where, List<Step> passes, List<Step> factors, List<Step> solves, List<Step> refined) {
    List<StepGroup> groups = new ArrayList<>();
    groups.add(new StepGroup("statistics", where, passes));
    groups.add(new StepGroup("factors", where, factors));
    groups.add(new StepGroup("gptq", where, solves));
    if (!refined.isEmpty()) {
      groups.add(new StepGroup(refinement.name(), where, refined));
    }
    return groups;
  }

  private Where where(BlockState block, String site) {
    return context.where(block.spec.block()).at(site.toLowerCase(Locale.ROOT));
  }

  /** Where the sums lie that some linears are solved from, see {@link FactorStep}. */
  private record Sums(
      List<PartKey> statistics,
      int place,
      int expert,
      int in,
      Correction corrected,
      int correctionRows) {}

  private List<StepGroup> prepare(
      Stage stage, BlockState block, Map<LinearRole, LearnedLinear> solved) {
    List<Step> passes = new ArrayList<>();
    List<Step> factors = new ArrayList<>();
    List<Step> solves = new ArrayList<>();
    List<Step> refined = new ArrayList<>();
    // Without true_sequential a stage sees the block's own linears as they were.
    ChainLink link =
        parameters.settings().trueSequential()
            ? new ChainLink(block.spec, new TreeMap<>(solved))
            : block.original();
    Correction corrected = correction(stage, block, link);
    List<PartKey> statistics = new ArrayList<>();
    for (SamplePartition samples : context.samples()) {
      SiteStep pass = pass(stage, block, link, samples, corrected);
      passes.add(pass);
      statistics.add(pass.observed());
    }
    int in = block.spec.shape().in(stage);
    int rows = MomentsObserver.correctionRows(corrected, stage, block.spec.shape());
    Sums sums = new Sums(statistics, 0, LinearRole.NONE, in, corrected, rows);
    Map<LinearRole, FactorStep> used =
        solve(block.spec.shape().linears(stage), block, sums, factors, solves, solved);
    refinement.refine(block, stage, LinearRole.NONE, used, solved, refined);
    return steps(where(block, stage.toString()), passes, factors, solves, refined);
  }

  /**
   * Adds the factors of what some linears read, and the tiles that are solved from them.
   *
   * @return the factors of each linear
   */
  private Map<LinearRole, FactorStep> solve(
      List<LinearRole> roles,
      BlockState block,
      Sums sums,
      List<Step> factors,
      List<Step> solves,
      Map<LinearRole, LearnedLinear> solved) {
    // All linears of a stage that want an order have the same one: it is that of their inputs.
    Map<Boolean, FactorStep> byOrder = new TreeMap<>();
    Map<LinearRole, FactorStep> used = new TreeMap<>();
    for (LinearRole role : roles) {
      if (block.targets.containsKey(role)) {
        FactorStep factor =
            byOrder.computeIfAbsent(
                block.scheme(role).order() != ActOrder.NONE,
                ordered -> factor(block, sums, ordered));
        solved.put(role, solve(role, block, factor, solves));
        used.put(role, factor);
      }
    }
    factors.addAll(byOrder.values());
    return used;
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

  private SiteStep pass(
      Stage stage,
      BlockState block,
      ChainLink link,
      SamplePartition samples,
      Correction corrected) {
    int p = samples.index();
    SiteStep step =
        new SiteStep(
            context.arithmetic(),
            stage,
            link,
            block.inputs(p),
            samples,
            context.window(),
            new MomentsObserver(corrected));
    block.passing.addAll(step.parts());
    step.state().ifPresent(state -> block.states.get(p).put(stage, state));
    return step;
  }

  private FactorStep factor(BlockState block, Sums sums, boolean ordered) {
    FactorStep step =
        new FactorStep(
            context.arithmetic(),
            sums.statistics(),
            sums.place(),
            sums.expert(),
            sums.in(),
            sums.corrected(),
            sums.correctionRows(),
            ordered,
            keepMoments(),
            parameters.settings().dampeningFrac(),
            parameters.settings().damping());
    block.passing.add(step.part());
    return step;
  }

  private boolean keepMoments() {
    return parameters.settings().descentRounds() > 0
        || parameters.layer() != null
        || refinement != Refinement.NONE;
  }

  private LearnedLinear solve(
      LinearRole role, BlockState block, FactorStep factor, List<Step> solves) {
    PlanEntry entry = block.targets.get(role);
    List<PartKey> tiles = new ArrayList<>();
    for (RowTile tile : RowTile.of(entry.out(), entry.in())) {
      SolveStep solve =
          new SolveStep(
              context.arithmetic(),
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
              role.label());
      tiles.add(solve.part());
      solves.add(solve);
    }
    if (parameters.keepCompensated()) {
      block.passing.addAll(tiles);
    }
    return new LearnedLinear(entry.module(), entry.out(), entry.in(), block.scheme(role), tiles);
  }
}
