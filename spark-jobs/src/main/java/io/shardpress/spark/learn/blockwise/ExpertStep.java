package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.ScalesLinear;
import io.shardpress.kernels.learn.TrainableLinear;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.MixtureWeights;
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
import io.shardpress.spark.sweep.Routed;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Learns an expert on the error of what it gives for the tokens that the quantized chain routes to
 * it; fewer than {@link Routed#FEWEST_TOKENS}, and it learns on all.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param expert its number
 * @param schemes of its linears that are learned; the others stay as they are
 * @param start see {@link BlockwiseStep}
 * @param full residual streams in full precision before the experts, by sample partition
 * @param routed those of the quantized chain, with their routing
 */
public record ExpertStep(
    String arithmetic,
    BlockSpec spec,
    int expert,
    Map<LinearRole, WeightScheme> schemes,
    ScaleFormat format,
    Map<LinearRole, LearnedLinear> start,
    List<PartKey> full,
    List<PartKey> routed,
    List<SamplePartition> samples,
    int window,
    ModifierKind learner,
    BlockwiseSettings settings,
    LrqSettings lrq,
    boolean keepRounded)
    implements Step {
  private static final int FEWEST_PER_STEP = 64;
  private static final StepKind KIND = new StepKind("blockwise.expert", 1);

  public ExpertStep {
    schemes = Collections.unmodifiableMap(new LinkedHashMap<>(schemes));
    start = Collections.unmodifiableMap(new LinkedHashMap<>(start));
    full = List.copyOf(full);
    routed = List.copyOf(routed);
    samples = List.copyOf(samples);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.tensors(LinearRole.ofExpert(expert).stream().map(spec.linears()::get).toList());
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights norms = spec.load(environment.reader(), Set.of());
    MixtureWeights.Expert original = norms.mixture().expert(expert);
    ExpertPool pool =
        ExpertPool.read(spec, expert, original, norms, full, routed, samples, window, environment);
    // As a feed-forward of its own its linears are those of no expert.
    Map<LinearRole, float[]> weights =
        Map.of(
            LinearRole.GATE, original.gate(),
            LinearRole.UP, original.up(),
            LinearRole.DOWN, original.down());
    LearningCourse course = new LearningCourse(learner, settings, lrq, format, start, spec.block());
    Map<LinearRole, TrainableLinear> linears = new TreeMap<>();
    schemes.forEach(
        (role, scheme) ->
            linears.put(
                alone(role),
                course.linear(
                    role,
                    scheme,
                    shape.out(role),
                    shape.in(role),
                    weights.get(alone(role)),
                    environment)));
    BlockWeights block = new BlockWeights(new TreeMap<>(weights), Map.of(), null, null, null, null);
    learn(pool, block, linears, course.rate(), "batches", environment);
    if (settings.scaleIterations() > 0 && !keepRounded) {
      linears.replaceAll(
          (role, linear) -> new ScalesLinear(linear.result(format, environment.workers()), format));
      learn(pool, block, linears, course.scalesRate(), "scales", environment);
    }
    try (PartWriter writer = environment.store().write(part())) {
      schemes.forEach(
          (role, scheme) -> {
            TrainableLinear linear = linears.get(alone(role));
            String module = spec.modules().get(role);
            TileCodec.write(
                writer,
                module,
                shape.out(role),
                0,
                linear.result(format, environment.workers()),
                weights.get(alone(role)),
                keepRounded ? linear.rounded(environment.workers()) : null);
            pool.calibration().write(writer, module);
          });
      writer.commit();
    }
  }

  /** Tokens that an expert of a block learns on at most. */
  public static int mostTokens(BlockShape shape) {
    return ExpertPool.most(shape);
  }

  private static LinearRole alone(LinearRole role) {
    return new LinearRole(role.kind(), LinearRole.NONE);
  }

  /** Tokens of a step: as many as a batch of windows routes to an expert on average. */
  private int perStep(int available) {
    long tokens = (long) settings.batchSize() * window;
    if (expert != LinearRole.SHARED) {
      tokens = tokens * spec.shape().mixture().perToken() / spec.shape().mixture().experts();
    }
    return (int) Math.min(available, Math.max(FEWEST_PER_STEP, tokens));
  }

  private void learn(
      ExpertPool pool,
      BlockWeights weights,
      Map<LinearRole, ? extends TrainableLinear> linears,
      LearningRate rate,
      String draws,
      TaskEnvironment environment) {
    int hidden = spec.shape().hidden();
    int tokens = perStep(pool.count());
    DecoderBlock block = DecoderBlock.expert(spec.shape(), expert, environment.matmul());
    BlockwiseLearner learner = new BlockwiseLearner(block, weights, linears, tokens, rate, false);
    float[] target = new float[tokens * hidden];
    SeededRandom random =
        new SeededRandom(settings.seed(), spec.block(), draws + " of expert " + expert);
    BestSeen best =
        settings.keepBest()
            ? new BestSeen(() -> loss(pool, learner, target, environment), learner::remember)
            : null;
    int iteration = 0;
    while (iteration < rate.iterations()
        && (best == null || best.goOn(iteration, rate.iterations()))) {
      for (int i = 0; i < tokens; i++) {
        load(pool, random.nextInt(pool.count()), learner, target, i);
      }
      learner.step(target, tokens, iteration, environment.workers());
      iteration++;
    }
    if (best != null) {
      if (iteration == rate.iterations()) {
        best.check();
      }
      learner.recall();
    }
  }

  /** The loss over the whole pool, as many tokens at a time as a step has. */
  private double loss(
      ExpertPool pool, BlockwiseLearner learner, float[] target, TaskEnvironment environment) {
    int tokens = perStep(pool.count());
    double loss = 0;
    for (int first = 0; first < pool.count(); first += tokens) {
      int count = Math.min(tokens, pool.count() - first);
      for (int i = 0; i < count; i++) {
        load(pool, first + i, learner, target, i);
      }
      loss += count * learner.loss(target, count, environment.workers());
    }
    return loss;
  }

  private void load(
      ExpertPool pool, int token, BlockwiseLearner learner, float[] target, int place) {
    int hidden = spec.shape().hidden();
    System.arraycopy(pool.inputs(), token * hidden, learner.input(), place * hidden, hidden);
    System.arraycopy(pool.targets(), token * hidden, target, place * hidden, hidden);
  }
}
