package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.AutoRoundLinear;
import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.FlexRoundLinear;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.LrqLinear;
import io.shardpress.kernels.learn.TrainableLinear;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Learns a block on its output error.
 *
 * @param schemes of the linears that are learned; the others stay as they are
 * @param start what those linears start from, GPTQ's result or an earlier learner's; empty: from
 *     round to nearest
 * @param inputs the block's inputs, a part for each sample partition
 * @param targets its full-precision outputs, likewise
 * @param lrq null for other kinds
 * @param keepRounded whether another learner will start from the result
 */
public record BlockwiseUnit(
    PartKey part,
    BlockSpec spec,
    Map<LinearRole, WeightScheme> schemes,
    ScaleFormat format,
    Map<LinearRole, LearnedLinear> start,
    List<PartKey> inputs,
    List<PartKey> targets,
    List<SamplePartition> samples,
    int window,
    ModifierKind kind,
    BlockwiseSettings settings,
    LrqSettings lrq,
    boolean keepRounded)
    implements UnitOfWork {
  // With keep_best: how often the loss is taken, and over how many windows.
  private static final int CHECKS = 5;
  private static final int CHECK_WINDOWS = 32;

  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights original = spec.load(environment.reader());
    Map<LinearRole, TrainableLinear> linears = new EnumMap<>(LinearRole.class);
    schemes.forEach(
        (role, scheme) -> linears.put(role, linear(role, scheme, original, environment)));
    BlockwiseLearner learner =
        new BlockwiseLearner(
            new DecoderBlock(shape, window, environment.matmul()),
            original,
            linears,
            settings.batchSize(),
            new LearningRate(settings.learningRate(), settings.iterations(), decay()));
    learn(learner, environment);
    try (PartWriter writer = environment.store().write(part)) {
      linears.forEach(
          (role, linear) ->
              LearnedLinear.write(
                  writer,
                  spec.modules().get(role),
                  shape.out(role),
                  0,
                  linear.result(format, environment.workers()),
                  original.linear(role),
                  keepRounded ? linear.rounded(environment.workers()) : null));
      writer.commit();
    }
  }

  private TrainableLinear linear(
      LinearRole role, WeightScheme scheme, BlockWeights original, TaskEnvironment environment) {
    int out = spec.shape().out(role);
    int in = spec.shape().in(role);
    float[] w;
    Steps steps;
    if (start.containsKey(role)) {
      w = start.get(role).readCompensated(environment.store());
      steps = start.get(role).read(environment.store()).steps();
    } else {
      w = original.linear(role);
      steps =
          RoundToNearest.steps(
              w, out, in, scheme, format, StepRules.of(settings.stepSearch()), null);
    }
    return switch (kind) {
      case LRQ ->
          new LrqLinear(
              w,
              out,
              in,
              scheme,
              steps,
              lrq.rank(out, in),
              new SeededRandom(settings.seed(), spec.block(), role.label()),
              environment.matmul());
      case FLEX_ROUND -> new FlexRoundLinear(w, out, in, scheme, steps, format);
      case AUTO_ROUND -> new AutoRoundLinear(w, out, in, scheme, format);
      default -> throw new IllegalStateException(kind + " is not block-wise");
    };
  }

  private LearningRate.Decay decay() {
    return kind == ModifierKind.AUTO_ROUND ? LearningRate.Decay.LINEAR : LearningRate.Decay.COSINE;
  }

  private void learn(BlockwiseLearner learner, TaskEnvironment environment) {
    int windows = samples.get(samples.size() - 1).first() + samples.get(samples.size() - 1).count();
    int batch = settings.batchSize();
    float[] target = new float[batch * window * spec.shape().hidden()];
    SeededRandom random = new SeededRandom(settings.seed(), spec.block(), "batches");
    try (WindowReader x = new WindowReader(environment.store(), inputs, samples);
        WindowReader y = new WindowReader(environment.store(), targets, samples)) {
      Batch batches = new Batch(x, y, learner.input(), target, window * spec.shape().hidden());
      BestSeen best = new BestSeen(learner, batches, windows, batch, environment);
      int[] chosen = new int[batch];
      for (int iteration = 0; iteration < settings.iterations(); iteration++) {
        if (settings.keepBest() && iteration % checkInterval() == 0) {
          best.check();
        }
        for (int i = 0; i < batch; i++) {
          chosen[i] = random.nextInt(windows);
        }
        batches.load(chosen, batch);
        learner.step(target, batch, iteration, environment.workers());
      }
      if (settings.keepBest()) {
        best.check();
        learner.recall();
      }
    }
  }

  private int checkInterval() {
    return Math.max(1, settings.iterations() / CHECKS);
  }

  /** Brings windows of inputs and targets to where the learner reads them. */
  private record Batch(WindowReader x, WindowReader y, float[] input, float[] target, int size) {
    void load(int[] windows, int count) {
      for (int i = 0; i < count; i++) {
        x.read(windows[i], input, i * size);
        y.read(windows[i], target, i * size);
      }
    }
  }

  /** Keeps the parameters with the least loss over windows spread evenly over the text. */
  private static final class BestSeen {
    private final BlockwiseLearner learner;
    private final Batch batches;
    private final int windows;
    private final int batch;
    private final TaskEnvironment environment;
    private double least = Double.POSITIVE_INFINITY;

    BestSeen(
        BlockwiseLearner learner,
        Batch batches,
        int windows,
        int batch,
        TaskEnvironment environment) {
      this.learner = learner;
      this.batches = batches;
      this.windows = windows;
      this.batch = batch;
      this.environment = environment;
    }

    void check() {
      int checked = Math.min(windows, CHECK_WINDOWS);
      double loss = 0;
      int[] chosen = new int[batch];
      for (int first = 0; first < checked; first += batch) {
        int count = Math.min(batch, checked - first);
        for (int i = 0; i < count; i++) {
          chosen[i] = (int) ((long) (first + i) * windows / checked);
        }
        batches.load(chosen, count);
        loss += count * learner.loss(batches.target(), count, environment.workers());
      }
      // Not by loss alone: without the first check there would be nothing to go back to.
      if (loss < least || least == Double.POSITIVE_INFINITY) {
        least = loss;
        learner.remember();
      }
    }
  }

  /** Any window of all sample partitions; keeps the partitions' parts open. */
  private static final class WindowReader implements AutoCloseable {
    private final List<SamplePartition> samples;
    private final PartReader[] readers;
    private final io.shardpress.spark.store.PartStore store;
    private final List<PartKey> parts;

    WindowReader(
        io.shardpress.spark.store.PartStore store,
        List<PartKey> parts,
        List<SamplePartition> samples) {
      this.store = store;
      this.parts = parts;
      this.samples = samples;
      this.readers = new PartReader[parts.size()];
    }

    void read(int window, float[] into, int at) {
      int partition = window / samples.get(0).count();
      if (readers[partition] == null) {
        readers[partition] = store.read(parts.get(partition));
      }
      SamplePartition sample = samples.get(partition);
      Activations.read(readers[partition], 0, sample.count(), window - sample.first(), into, at);
    }

    @Override
    public void close() {
      for (PartReader reader : readers) {
        if (reader != null) {
          reader.close();
        }
      }
    }
  }
}
