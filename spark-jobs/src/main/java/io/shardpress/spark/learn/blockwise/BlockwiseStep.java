package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.ScalesLinear;
import io.shardpress.kernels.learn.TrainableLinear;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Learns a block on its output error; of one with a mixture of experts attention, on the error of
 * what it leaves in the residual stream.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param schemes of the linears that are learned; the others stay as they are
 * @param start what those linears start from, GPTQ's result or an earlier learner's; empty: from
 *     round to nearest
 * @param inputs the block's inputs, a part for each sample partition
 * @param targets its full-precision outputs, likewise; of attention alone what it leaves
 * @param lrq null for other kinds
 * @param keepRounded whether another learner will start from the result
 */
public record BlockwiseStep(
    String arithmetic,
    BlockSpec spec,
    Map<LinearRole, WeightScheme> schemes,
    ScaleFormat format,
    Map<LinearRole, LearnedLinear> start,
    List<PartKey> inputs,
    List<PartKey> targets,
    List<SamplePartition> samples,
    int window,
    ModifierKind learner,
    BlockwiseSettings settings,
    LrqSettings lrq,
    boolean keepRounded)
    implements Step {
  private static final StepKind KIND = new StepKind("blockwise.block", 1);

  public BlockwiseStep {
    schemes = Collections.unmodifiableMap(new LinkedHashMap<>(schemes));
    start = Collections.unmodifiableMap(new LinkedHashMap<>(start));
    inputs = List.copyOf(inputs);
    targets = List.copyOf(targets);
    samples = List.copyOf(samples);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.tensors(spec.tensors()).and(Reads.parts(inputs)).and(Reads.parts(targets));
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights original = spec.load(environment.reader());
    Map<LinearRole, TrainableLinear> linears = new TreeMap<>();
    LearningCourse course = new LearningCourse(learner, settings, lrq, format, start, spec.block());
    schemes.forEach(
        (role, scheme) ->
            linears.put(
                role,
                course.linear(
                    role,
                    scheme,
                    shape.out(role),
                    shape.in(role),
                    original.linear(role),
                    environment)));
    learn(original, linears, course.rate(), "batches", environment);
    // What another learner goes on from is finished by that one.
    if (settings.scaleIterations() > 0 && !keepRounded) {
      linears.replaceAll(
          (role, linear) -> new ScalesLinear(linear.result(format, environment.workers()), format));
      learn(original, linears, course.scalesRate(), "scales", environment);
    }
    try (PartWriter writer = environment.store().write(part())) {
      linears.forEach(
          (role, linear) ->
              TileCodec.write(
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

  /** Steps on batches drawn by {@code draws}, with the linears' parameters as they are left. */
  private void learn(
      BlockWeights original,
      Map<LinearRole, ? extends TrainableLinear> linears,
      LearningRate rate,
      String draws,
      TaskEnvironment environment) {
    DecoderBlock whole = new DecoderBlock(spec.shape(), window, environment.matmul());
    // Experts are learned one by one, so that a block with them has no other linears here.
    DecoderBlock block = spec.shape().mixture() == null ? whole : whole.attentionOnly();
    BlockwiseLearner learner =
        new BlockwiseLearner(block, original, linears, settings.batchSize(), rate);
    SeededRandom random = new SeededRandom(settings.seed(), spec.block(), draws);
    int size = window * spec.shape().hidden();
    try (LearningBatches batches =
        new LearningBatches(
            environment, inputs, targets, samples, learner, settings.batchSize(), size)) {
      int trained = settings.iterations() * settings.batchSize();
      BestSeen best =
          settings.keepBest() ? new BestSeen(learner, batches, trained, environment) : null;
      int iteration = 0;
      while (iteration < rate.iterations()
          && (best == null || best.goOn(iteration, rate.iterations()))) {
        batches.draw(random);
        learner.step(batches.target(), settings.batchSize(), iteration, environment.workers());
        iteration++;
      }
      if (best != null) {
        if (iteration == rate.iterations()) {
          best.check();
        }
        learner.recall();
      }
    }
  }
}
