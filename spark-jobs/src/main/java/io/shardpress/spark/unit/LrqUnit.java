package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.BlockwiseLrq;
import io.shardpress.kernels.learn.LrqLinear;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.LrqModifier;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Learns a block by LRQ on its output error.
 *
 * @param schemes of the linears that are learned; the others stay as they are
 * @param start GPTQ's result for those linears; empty: from round to nearest
 * @param inputs the block's inputs, a part for each sample partition
 * @param targets its full-precision outputs, likewise
 */
public record LrqUnit(
    PartKey part,
    BlockSpec spec,
    Map<LinearRole, WeightScheme> schemes,
    ScaleFormat format,
    Map<LinearRole, LearnedLinear> start,
    List<PartKey> inputs,
    List<PartKey> targets,
    List<SamplePartition> samples,
    int window,
    LrqModifier settings)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights original = spec.load(environment.reader());
    Map<LinearRole, LrqLinear> linears = new EnumMap<>(LinearRole.class);
    schemes.forEach(
        (role, scheme) -> linears.put(role, linear(role, scheme, original, environment)));
    BlockwiseLrq learner =
        new BlockwiseLrq(
            new DecoderBlock(shape, window, environment.matmul()),
            original,
            linears,
            settings.batchSize(),
            settings.iterations(),
            settings.learningRate());
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
                  null));
      writer.commit();
    }
  }

  private LrqLinear linear(
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
    return new LrqLinear(
        w,
        out,
        in,
        scheme,
        steps,
        settings.rank(out, in),
        new SeededRandom(settings.seed(), spec.block(), role.label()),
        environment.matmul());
  }

  private void learn(BlockwiseLrq learner, TaskEnvironment environment) {
    int size = window * spec.shape().hidden();
    int windows = samples.get(samples.size() - 1).first() + samples.get(samples.size() - 1).count();
    int batch = settings.batchSize();
    float[] target = new float[batch * size];
    SeededRandom random = new SeededRandom(settings.seed(), spec.block(), "batches");
    try (WindowReader x = new WindowReader(environment.store(), inputs, samples);
        WindowReader y = new WindowReader(environment.store(), targets, samples)) {
      for (int iteration = 0; iteration < settings.iterations(); iteration++) {
        for (int i = 0; i < batch; i++) {
          int chosen = random.nextInt(windows);
          x.read(chosen, learner.input(), i * size);
          y.read(chosen, target, i * size);
        }
        learner.step(target, batch, iteration, environment.workers());
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
