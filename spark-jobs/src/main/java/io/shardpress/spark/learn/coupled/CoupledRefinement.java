package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.CoupledSettings;
import io.shardpress.schemas.recipe.EndToEndSettings;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.learn.gptq.FactorStep;
import io.shardpress.spark.learn.gptq.Refinement;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Goes on from GPTQ's result by coupled descent, in the chain. */
public final class CoupledRefinement implements Refinement {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(RowFactorsObserver.class, RowFactorsStep.class, CoupledStep.class);

  private final SweepContext context;
  private final Curvature curvature;
  private final CoupledSettings settings;
  private final double alpha;

  /**
   * @param alpha how much of the targets' correction is applied, as GPTQ has it
   */
  public CoupledRefinement(
      SweepContext context, Curvature curvature, CoupledSettings settings, double alpha) {
    this.context = context;
    this.curvature = curvature;
    this.settings = settings;
    this.alpha = alpha;
  }

  @Override
  public String name() {
    return "coupled";
  }

  @Override
  public void refine(
      BlockState block,
      Stage site,
      int expert,
      Map<LinearRole, FactorStep> factors,
      Map<LinearRole, LearnedLinear> solved,
      List<Step> steps) {
    RowFactorsStep known = curvature.at(block.spec.block(), site, expert);
    List<CoupledLinear> linears = new ArrayList<>();
    for (int i = 0; i < known.rows().roles().size(); i++) {
      LinearRole role = known.rows().roles().get(i);
      if (factors.containsKey(role)) {
        PlanEntry entry = block.targets.get(role);
        LearnedLinear start = solved.get(role);
        block.passing.addAll(start.tiles());
        List<Integer> tiles = IntStream.range(0, start.tiles().size()).boxed().toList();
        linears.add(new CoupledLinear(role, i, start, tiles, entry.source()));
      }
    }
    if (linears.isEmpty()) {
      return;
    }
    List<CoupledStep> made = new ArrayList<>();
    if (known.rows().whole()) {
      made.add(step(known, factors, linears));
    } else {
      for (CoupledLinear linear : linears) {
        for (int tile : linear.tiles()) {
          made.add(
              step(
                  known,
                  factors,
                  List.of(
                      new CoupledLinear(
                          linear.role(),
                          linear.number(),
                          linear.start(),
                          List.of(tile),
                          linear.source()))));
        }
      }
    }
    replace(made, solved);
    steps.addAll(made);
  }

  private CoupledStep step(
      RowFactorsStep known, Map<LinearRole, FactorStep> factors, List<CoupledLinear> linears) {
    return new CoupledStep(
        context.arithmetic(),
        factors.get(linears.get(0).role()),
        known.part(),
        known.rows(),
        linears,
        context.plan().scaleFormat(),
        alpha,
        settings.rounds(),
        settings.sweeps(),
        context.plan().recipe().tuning().filter(EndToEndSettings::learnsIntegers).isPresent());
  }

  private static void replace(List<CoupledStep> made, Map<LinearRole, LearnedLinear> solved) {
    Map<LinearRole, List<PartKey>> tiles = new HashMap<>();
    for (CoupledStep step : made) {
      for (CoupledLinear linear : step.linears()) {
        for (int tile : linear.tiles()) {
          tiles
              .computeIfAbsent(linear.role(), role -> new ArrayList<>())
              .add(step.part(linear, tile));
        }
      }
    }
    tiles.forEach(
        (role, parts) -> {
          LearnedLinear before = solved.get(role);
          solved.put(
              role,
              new LearnedLinear(
                  before.module(), before.out(), before.in(), before.scheme(), parts));
        });
  }
}
