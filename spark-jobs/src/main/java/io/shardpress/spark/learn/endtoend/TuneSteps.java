package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.EndToEndSettings;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Names the steps of tuning a model: of each step a task for some windows of its batch, then a task
 * for each block that adds up their gradients; and the losses of windows that are held back.
 */
final class TuneSteps {
  /** The final norm's name in a state. */
  static final String FINAL_NORM = "FINAL";

  /** Steps between two looks at the windows that are held back. */
  static final int BETWEEN_LOOKS = 5;

  private static final int WARM_UP = 5;
  private static final double LEAST_RATE = 1e-2;
  // Fewer tokens are not worth reading a model for.
  private static final int FEWEST_TOKENS = 1024;

  private final TunedModel model;
  private final EndToEndSettings settings;
  private final List<Integer> held = new ArrayList<>();
  private final List<List<GradientStep>> gradients = new ArrayList<>();
  private final List<List<UpdateStep>> updates = new ArrayList<>();

  TuneSteps(TunedModel model, EndToEndSettings settings) {
    this.model = model;
    this.settings = settings;
    List<Integer> learned = new ArrayList<>();
    int windows = model.windows();
    int each = settings.heldBack() == 0 ? 0 : (int) Math.round(1 / settings.heldBack());
    for (int window = 0; window < windows; window++) {
      boolean last = window == windows - 1 && held.isEmpty();
      (each > 0 && windows > 1 && (window % each == each - 1 || last) ? held : learned).add(window);
    }
    name(learned);
  }

  private void name(List<Integer> learned) {
    SeededRandom random = new SeededRandom(settings.seed(), 0, "end to end");
    List<Integer> order = new ArrayList<>();
    for (int step = 1; step <= settings.iterations(); step++) {
      List<Integer> batch = new ArrayList<>();
      int wanted = Math.min(settings.batchSize(), learned.size());
      while (batch.size() < wanted) {
        if (order.isEmpty()) {
          order.addAll(learned);
          order.removeAll(batch);
        }
        batch.add(order.remove(random.nextInt(order.size())));
      }
      name(step, batch);
    }
  }

  private void name(int step, List<Integer> batch) {
    List<PartKey> before = states(step - 1);
    List<GradientStep> tasks =
        together(batch).stream()
            .map(windows -> new GradientStep(model, before, windows, batch.size()))
            .toList();
    List<PartKey> parts = tasks.stream().map(Step::part).toList();
    List<UpdateStep> next = new ArrayList<>();
    for (int block = 0; block <= model.blocks().size(); block++) {
      next.add(
          new UpdateStep(
              linears(block),
              candidates(block),
              norms(block),
              before.isEmpty() ? null : before.get(block),
              parts,
              block,
              step,
              settings.learningRate() * rate(step - 1),
              integerRates(block, rate(step - 1))));
    }
    gradients.add(tasks);
    updates.add(next);
  }

  /** Windows of so many tokens that go through the model in one task, at most. */
  static int together(int window) {
    return (FEWEST_TOKENS + window - 1) / window;
  }

  /** Windows in runs that go through the model in one task. */
  private List<List<Integer>> together(List<Integer> windows) {
    int most = together(model.window());
    List<List<Integer>> runs = new ArrayList<>();
    for (int first = 0; first < windows.size(); first += most) {
      runs.add(List.copyOf(windows.subList(first, Math.min(windows.size(), first + most))));
    }
    return runs;
  }

  /** Of the learning rate: rises over the first steps, then falls along a cosine. */
  private double rate(int step) {
    double warm = Math.min(1, (step + 1) / (double) WARM_UP);
    double cosine = 0.5 * (1 + StrictMath.cos(Math.PI * step / settings.iterations()));
    return warm * Math.max(LEAST_RATE, cosine);
  }

  /** The linears of a block that are tuned, in order; of the head there are none. */
  Map<LinearRole, LearnedLinear> linears(int block) {
    return block == model.blocks().size()
        ? Map.of()
        : new TreeMap<>(model.blocks().get(block).learned());
  }

  private Map<LinearRole, PartKey> candidates(int block) {
    return block == model.blocks().size() || model.candidates().isEmpty()
        ? Map.of()
        : model.candidates().get(block);
  }

  private Map<LinearRole, Double> integerRates(int block, double factor) {
    Map<LinearRole, Double> rates = new TreeMap<>();
    candidates(block)
        .keySet()
        .forEach(
            role -> {
              int bits = model.blocks().get(block).learned().get(role).scheme().bits();
              rates.put(role, factor * settings.integerRate(bits));
            });
    return rates;
  }

  private Map<String, Integer> norms(int block) {
    Map<String, Integer> lengths = new LinkedHashMap<>();
    if (block == model.blocks().size()) {
      lengths.put(FINAL_NORM, Math.toIntExact(model.head().norm().shape().get(0)));
    } else {
      BlockSpec spec = model.blocks().get(block).spec();
      TunedBlock.tensors(spec)
          .forEach((name, norm) -> lengths.put(name, Math.toIntExact(norm.shape().get(0))));
    }
    return lengths;
  }

  /** The states after some steps: of the blocks, and of the head; empty before the first. */
  List<PartKey> states(int step) {
    return step == 0 ? List.of() : updates.get(step - 1).stream().map(Step::part).toList();
  }

  /** The tasks of a step's batch, counted from 1. */
  List<GradientStep> gradients(int step) {
    return gradients.get(step - 1);
  }

  /** What makes the states after a step. */
  List<UpdateStep> updates(int step) {
    return updates.get(step - 1);
  }

  /** Steps after which the windows that are held back are looked at; 0 among them. */
  List<Integer> looks() {
    List<Integer> looks = new ArrayList<>();
    for (int step = 0; step < settings.iterations(); step += BETWEEN_LOOKS) {
      looks.add(step);
    }
    looks.add(settings.iterations());
    return held.isEmpty() ? List.of() : looks;
  }

  /** The losses after a step. */
  List<LossStep> losses(int step) {
    return together(held).stream()
        .map(windows -> new LossStep(model, states(step), windows))
        .toList();
  }

  int iterations() {
    return settings.iterations();
  }

  /** Positions of the windows that are held back. */
  long heldPositions() {
    return (long) held.size() * (model.window() - 1);
  }

  /** The model that a run tunes. */
  static TunedModel model(
      SweepContext context,
      List<Map<LinearRole, LearnedLinear>> linears,
      List<Map<LinearRole, PartKey>> candidates,
      List<PartKey> embedded,
      List<List<PartKey>> full,
      double hiddenStates) {
    List<ChainLink> blocks = new ArrayList<>();
    for (int block = 0; block < linears.size(); block++) {
      blocks.add(new ChainLink(context.block(block), linears.get(block)));
    }
    return new TunedModel(
        context.arithmetic(),
        blocks,
        candidates,
        ModelHead.of(context.plan().checkpoint(), context.plan().config()),
        embedded,
        full,
        hiddenStates,
        context.samples(),
        context.window(),
        context.plan().scaleFormat());
  }
}
