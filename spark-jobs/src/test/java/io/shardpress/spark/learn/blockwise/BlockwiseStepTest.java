package io.shardpress.spark.learn.blockwise;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.ScalesLinear;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.learn.rounding.StepRules;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a block is learned: the steps on scales at the end, and when learning stops early. */
class BlockwiseStepTest {
  private static final int WINDOWS = 4;
  private static final int WINDOW = 16;
  private static final int ROWS = WINDOWS * WINDOW;
  private static final List<SamplePartition> SAMPLES = List.of(new SamplePartition(0, 0, WINDOWS));
  private static final WeightScheme SCHEME = new WeightScheme(3, false, 32);

  @TempDir Path folder;
  private BlockSpec spec;
  private TaskEnvironment environment;
  private BlockWeights original;
  private float[] inputs;
  private float[] targets;
  private PartKey inputPart;
  private PartKey targetPart;

  @BeforeEach
  void makeBlock() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(model.toString(), new Configuration());
    spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), 0);
    environment =
        new TaskEnvironment(
            RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString()),
            new Configuration(false),
            1);
    original = spec.load(environment.reader());
    Random random = new Random(5);
    inputs = new float[ROWS * spec.shape().hidden()];
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = (float) random.nextGaussian();
    }
    targets = output(original);
    inputPart = write("inputs", inputs);
    targetPart = write("targets", targets);
  }

  @AfterEach
  void close() {
    environment.close();
  }

  @Test
  void stepsOnScalesKeepTheIntegersAndLowerTheError() {
    Map<LinearRole, QuantizedLinear> before = learn("without", 0);
    Map<LinearRole, QuantizedLinear> after = learn("with", 60);
    int moved = 0;
    for (LinearRole role : LinearRole.SEPARATE) {
      assertThat(after.get(role).codes()).as("%s", role).isEqualTo(before.get(role).codes());
      moved += Arrays.mismatch(scales(after.get(role)), scales(before.get(role))) < 0 ? 0 : 1;
    }
    assertThat(moved).isEqualTo(LinearRole.SEPARATE.size());
    assertThat(error(after)).isLessThan(0.98 * error(before));
  }

  @Test
  void learningThatHasLostItsWayStopsAfterTwoFifths() {
    Map<LinearRole, ScalesLinear> linears = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      QuantizedLinear start =
          RoundToNearest.quantize(
              original.linear(role),
              spec.shape().out(role),
              spec.shape().in(role),
              SCHEME,
              ScaleFormat.F32,
              StepRules.of(false));
      linears.put(role, new ScalesLinear(start, ScaleFormat.F32));
    }
    DecoderBlock block = new DecoderBlock(spec.shape(), WINDOW, environment.matmul());
    LearningRate rate = new LearningRate(0, 10, LearningRate.Decay.COSINE);
    BlockwiseLearner learner = new BlockwiseLearner(block, original, linears, 2, rate);
    float[] first = linears.get(LinearRole.DOWN).logScales();
    float[] kept = first.clone();
    try (LearningBatches batches =
        new LearningBatches(
            environment,
            List.of(inputPart),
            List.of(targetPart),
            SAMPLES,
            learner,
            2,
            WINDOW * spec.shape().hidden())) {
      BestSeen best = new BestSeen(learner, batches, 1000, environment);
      assertThat(best.goOn(0, 10)).isTrue();
      assertThat(best.goOn(4, 10)).as("as good as before").isTrue();
      linears.values().forEach(linear -> shift(linear.logScales(), 0.5f));
      assertThat(best.goOn(2, 10)).as("still early").isTrue();
      assertThat(best.goOn(5, 10)).as("no check due").isTrue();
      assertThat(best.goOn(4, 10)).as("lost").isFalse();
      learner.recall();
      assertThat(first).isEqualTo(kept);
    }
  }

  private Map<LinearRole, QuantizedLinear> learn(String name, int scaleIterations) {
    Map<LinearRole, WeightScheme> schemes = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      schemes.put(role, SCHEME);
    }
    BlockwiseStep step =
        new BlockwiseStep(
            "any " + name,
            spec,
            schemes,
            ScaleFormat.BF16,
            Map.of(),
            List.of(inputPart),
            List.of(targetPart),
            SAMPLES,
            WINDOW,
            ModifierKind.FLEX_ROUND,
            new BlockwiseSettings(
                BlockwiseSettings.Order.SEQUENTIAL,
                10,
                1e-3,
                2,
                true,
                0,
                scaleIterations,
                false,
                0),
            null,
            false);
    step.run(environment);
    PartKey part = step.part();
    Map<LinearRole, QuantizedLinear> learned = new TreeMap<>();
    spec.modules()
        .forEach(
            (role, module) ->
                learned.put(
                    role,
                    new LearnedLinear(
                            module,
                            spec.shape().out(role),
                            spec.shape().in(role),
                            SCHEME,
                            List.of(part))
                        .read(environment.store())));
    return learned;
  }

  private double error(Map<LinearRole, QuantizedLinear> learned) {
    Map<LinearRole, float[]> weights = new TreeMap<>();
    learned.forEach((role, linear) -> weights.put(role, linear.dequantize()));
    float[] found = output(original.with(weights));
    double sum = 0;
    for (int i = 0; i < found.length; i++) {
      sum += ((double) found[i] - targets[i]) * ((double) found[i] - targets[i]);
    }
    return sum;
  }

  private float[] output(BlockWeights weights) {
    BlockShape shape = spec.shape();
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(inputs, 0, a.input(), 0, inputs.length);
    new DecoderBlock(shape, WINDOW, environment.matmul())
        .forward(weights, ROWS, a, environment.workers());
    return a.output();
  }

  private PartKey write(String name, float[] values) {
    PartKey key = PartKey.of(name).build();
    try (PartWriter writer = environment.store().write(key)) {
      Activations.write(writer, WINDOWS, 0, WINDOWS, WINDOW, values, spec.shape().hidden());
      writer.commit();
    }
    return key;
  }

  private static float[] scales(QuantizedLinear linear) {
    return linear.steps().scales();
  }

  private static void shift(float[] x, float by) {
    for (int i = 0; i < x.length; i++) {
      x[i] += by;
    }
  }
}
