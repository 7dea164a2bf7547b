package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.SharedScales;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.ScaleSettings;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.learn.blockwise.BestSeen;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.SweepContext;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * Steps on the scales of a solved block by the error of its output, with the integers as they are.
 * Of each step's batch every task takes some windows through the block and back, and answers with
 * the gradient of the scales; the driver adds the answers up in the tasks' order and takes the
 * step. What a task gets follows from the recipe and the text.
 */
public final class ScaleSteps {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(ScaleStart.class, ScaleTask.class, ScaleGradient.class, RescaleStep.class);

  // In relative size, what a scale moves at most by the first step.
  private static final double LEARNING_RATE = 1e-3;

  private final StepRunner runner;
  private final Where where;
  private final ScaleSettings settings;
  private final ScaleCourse course;
  private final PartKey scales;
  private final List<RescaleStep> rescales = new ArrayList<>();
  private final int windows;
  private final int tasks;
  private double cpuSeconds;

  /**
   * Puts the linears with their scales learned in the place of those that the block has.
   *
   * @param targets full-precision outputs of the block, by sample partition
   */
  public ScaleSteps(
      SweepContext context, ScaleSettings settings, BlockState block, List<PartKey> targets) {
    this.runner = context.runner();
    this.where = context.where(block.spec.block());
    this.settings = settings;
    windows = context.samples().stream().mapToInt(samples -> samples.count()).sum();
    tasks = settings.tasks(context.samples().size());
    course =
        new ScaleCourse(
            context.arithmetic(),
            block.spec,
            new TreeMap<>(block.learned),
            context.plan().scaleFormat(),
            block.quantized,
            targets,
            context.samples(),
            context.window(),
            settings.together(tasks),
            tasks,
            settings,
            LEARNING_RATE);
    scales = course.part();
    block.passing.add(scales);
    block.learned.replaceAll((role, solved) -> rescaled(block, role, solved));
  }

  private LearnedLinear rescaled(BlockState block, LinearRole role, LearnedLinear solved) {
    PlanEntry entry = block.targets.get(role);
    List<PartKey> tiles = new ArrayList<>();
    for (int i = 0; i < solved.tiles().size(); i++) {
      RescaleStep step =
          new RescaleStep(course.arithmetic(), scales, role, solved, i, entry.source());
      rescales.add(step);
      tiles.add(step.part());
    }
    block.passing.addAll(solved.tiles());
    return new LearnedLinear(solved.module(), solved.out(), solved.in(), solved.scheme(), tiles);
  }

  /** Learns the scales, unless the store has them, and writes the linears with them. */
  public StepRunner.Ran run() {
    StepRunner.Ran ran = StepRunner.Ran.NOTHING;
    if (runner.store().has(scales)) {
      runner.found("scales", 1);
    } else {
      RescaleStep.writeScales(runner.store(), scales, course.start(), learn());
      ran = runner.made("scales", cpuSeconds);
    }
    return ran.plus(runner.run("rescaling", where, rescales));
  }

  private float[][] learn() {
    int iterations = settings.iterations();
    SharedScales scales =
        new SharedScales(
            start(), new LearningRate(LEARNING_RATE, iterations, LearningRate.Decay.COSINE));
    SeededRandom random = new SeededRandom(settings.seed(), course.spec().block(), "scales");
    boolean[] last = new boolean[1];
    BestSeen best = new BestSeen(() -> loss(scales, last[0]), scales::remember);
    int iteration = 0;
    while (iteration < iterations && best.goOn(iteration, iterations)) {
      int[] batch = new int[settings.batchSize()];
      Arrays.setAll(batch, i -> random.nextInt(windows));
      step(scales, split(batch), iteration);
      iteration++;
    }
    if (iteration == iterations) {
      last[0] = true;
      best.check();
    }
    scales.recall();
    return scales.stored(course.format());
  }

  private List<float[]> start() {
    StepRunner.Answers<float[][]> answers =
        runner.call("scales", where, List.of(new ScaleStart()), course);
    cpuSeconds += answers.cpuSeconds();
    return List.of(answers.values().get(0));
  }

  private void step(SharedScales scales, List<int[]> batch, int iteration) {
    List<ScaleTask> parts = batch.stream().map(each -> new ScaleTask(each, true, false)).toList();
    List<ScaleGradient> answers = call("steps on scales", parts, scales);
    double[] shares =
        batch.stream().mapToDouble(each -> (double) each.length / settings.batchSize()).toArray();
    long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    scales.step(answers.stream().map(ScaleGradient::gradients).toList(), shares, iteration);
    cpuSeconds += (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e9;
  }

  /** The mean loss over windows spread evenly over the text. */
  private double loss(SharedScales scales, boolean last) {
    List<int[]> split = split(BestSeen.windows(windows));
    List<ScaleTask> parts = split.stream().map(each -> new ScaleTask(each, false, last)).toList();
    List<ScaleGradient> answers = call("loss by scales", parts, scales);
    double sum = 0;
    int count = 0;
    for (int i = 0; i < split.size(); i++) {
      sum += answers.get(i).loss() * split.get(i).length;
      count += split.get(i).length;
    }
    return sum / count;
  }

  private List<ScaleGradient> call(String step, List<ScaleTask> parts, SharedScales scales) {
    StepRunner.Answers<ScaleGradient> answers =
        runner.call(step, where, parts, new ScaleState(course, scales.logScales()));
    cpuSeconds += answers.cpuSeconds();
    return answers.values();
  }

  /** Windows for each task, as even as can be. */
  private List<int[]> split(int[] all) {
    int parts = Math.min(tasks, all.length);
    List<int[]> split = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      split.add(Arrays.copyOfRange(all, all.length * i / parts, all.length * (i + 1) / parts));
    }
    return split;
  }
}
