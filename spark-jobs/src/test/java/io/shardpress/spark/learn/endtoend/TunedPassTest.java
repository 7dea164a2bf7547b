package io.shardpress.spark.learn.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.learn.rounding.StepRules;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Gradients of the whole model, as tasks give them and add them up, against differences of its
 * loss.
 */
class TunedPassTest {
  private static final int WINDOWS = 3;
  private static final int WINDOW = 8;
  private static final WeightScheme SCHEME = new WeightScheme(3, false, 64);
  // Along a gradient of unit length. Norms are rounded to bf16, so that many elements have to move.
  private static final double STEP = 2e-2;
  private static final double STEP_OF_NORMS = 0.3;

  @TempDir private Path folder;
  private TaskEnvironment environment;
  private TunedModel model;

  @BeforeEach
  void writeModel() throws IOException {
    Path written = SmallModel.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(written.toString(), new Configuration());
    environment =
        new TaskEnvironment(
            RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString()),
            new Configuration(false),
            1);
    List<ChainLink> blocks = new ArrayList<>();
    for (int block = 0; block < checkpoint.config().layers(); block++) {
      BlockSpec spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), block);
      Map<LinearRole, LearnedLinear> learned = new TreeMap<>();
      for (LinearRole role : List.of(LinearRole.Q, LinearRole.O, LinearRole.UP, LinearRole.DOWN)) {
        learned.put(role, rounded(spec, role));
      }
      blocks.add(new ChainLink(spec, learned));
    }
    int hidden = blocks.get(0).spec().shape().hidden();
    model =
        new TunedModel(
            "any",
            blocks,
            List.of(),
            ModelHead.of(Contents.named(checkpoint), checkpoint.config()),
            List.of(activations("embedded", hidden, 0.1f)),
            List.of(List.of(activations("full", hidden, 1f))),
            0,
            List.of(new SamplePartition(0, 0, WINDOWS)),
            WINDOW,
            ScaleFormat.F32);
  }

  @AfterEach
  void close() {
    environment.close();
  }

  @Test
  void gradientsAreDifferencesOfTheLoss() {
    Map<String, float[]> gradients = new HashMap<>();
    for (GradientStep task : List.of(task(List.of(0, 2)), task(List.of(1)))) {
      task.run(environment);
      try (PartReader reader = environment.store().read(task.part())) {
        for (int i = 0; i < reader.rows(); i++) {
          PartRow row = reader.row(i);
          gradients.merge(row.tensor(), row.floats(), TunedPassTest::plus);
        }
      }
    }
    int blocks = model.blocks().size();
    for (int block = 0; block < blocks; block++) {
      for (String value :
          List.of(
              TuneState.name(LinearRole.Q),
              TuneState.name(LinearRole.O),
              TuneState.name(LinearRole.UP),
              TuneState.name(LinearRole.DOWN),
              TuneState.name("INPUT"),
              TuneState.name("POST"))) {
        check(block, value, gradients);
      }
    }
    check(blocks, TuneState.name(TuneSteps.FINAL_NORM), gradients);
  }

  /** The change of the loss along the gradient of one value, all its elements at once. */
  private void check(int block, String value, Map<String, float[]> gradients) {
    float[] gradient = gradients.get(GradientStep.name(block, value));
    double length = 0;
    for (float element : gradient) {
      length += (double) element * element;
    }
    length = Math.sqrt(length);
    assertThat(length).as("%d %s", block, value).isPositive();
    boolean norm = !value.startsWith("d ");
    double step = norm ? STEP_OF_NORMS : STEP;
    double difference = loss(block, value, gradient, step / length);
    difference -= loss(block, value, gradient, -step / length);
    assertThat(difference / (2 * step))
        .as("block %d, %s", block, value)
        .isCloseTo(length, within((norm ? 0.05 : 0.01) * length));
  }

  /** The mean loss with one value moved along a direction. */
  private double loss(int block, String value, float[] direction, double by) {
    List<PartKey> states = new ArrayList<>();
    for (int i = 0; i <= model.blocks().size(); i++) {
      states.add(state(i, block == i ? value : null, direction, by));
    }
    double sum = new TunedPass(model, states, List.of(0, 1, 2), environment).loss();
    return sum / (WINDOWS * (WINDOW - 1));
  }

  /** A block's start as a state, with one value moved. */
  private PartKey state(int block, String moved, float[] direction, double by) {
    PartKey key = PartKey.of("state").add("block", block).add("moved", moved + by).build();
    boolean head = block == model.blocks().size();
    try (PartWriter writer = environment.store().write(key)) {
      if (moved != null) {
        float[] values = new float[direction.length];
        for (LinearRole role : head ? List.<LinearRole>of() : learned(block)) {
          if (moved.equals(TuneState.name(role))) {
            values = logarithms(model.blocks().get(block).learned().get(role));
          }
        }
        for (int i = 0; i < values.length; i++) {
          values[i] += (float) (by * direction[i]);
        }
        writer.add(PartRow.ofFloats(moved, values));
      }
      writer.commit();
    }
    return key;
  }

  private List<LinearRole> learned(int block) {
    return List.copyOf(model.blocks().get(block).learned().keySet());
  }

  private float[] logarithms(LearnedLinear linear) {
    float[] scales = linear.readStartingSteps(environment.store()).scales().clone();
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) Math.log(scales[i]);
    }
    return scales;
  }

  /** Adam's first step goes against the sum of the tasks' gradients, whatever its size. */
  @Test
  void aStepAddsUpWhatTasksGive() {
    int length = model.hidden();
    List<PartKey> parts = new ArrayList<>();
    for (float gradient : new float[] {1, 1, -3}) {
      PartKey part = PartKey.of("gradient").add("value", parts.size()).build();
      float[] values = new float[length];
      Arrays.fill(values, gradient);
      String name = GradientStep.name(2, TuneState.name(TuneSteps.FINAL_NORM));
      try (PartWriter writer = environment.store().write(part)) {
        writer.add(PartRow.ofFloats(name, values));
        writer.commit();
      }
      parts.add(part);
    }
    UpdateStep step =
        new UpdateStep(
            Map.of(),
            Map.of(),
            Map.of(TuneSteps.FINAL_NORM, length),
            null,
            parts,
            2,
            1,
            0.25,
            Map.of());
    step.run(environment);
    float[] moved =
        TuneState.read(environment.store(), step.part(), false).norm(TuneSteps.FINAL_NORM);
    assertThat(moved).hasSize(length);
    assertThat(moved[0]).isCloseTo(0.25f, within(1e-4f));
    assertThat(moved[length - 1]).isCloseTo(0.25f, within(1e-4f));
  }

  private GradientStep task(List<Integer> windows) {
    return new GradientStep(model, List.of(), windows, WINDOWS);
  }

  private static float[] plus(float[] one, float[] other) {
    float[] sum = one.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += other[i];
    }
    return sum;
  }

  private LearnedLinear rounded(BlockSpec spec, LinearRole role) {
    float[] w = environment.reader().readFloats(spec.linears().get(role));
    int out = spec.shape().out(role);
    int in = spec.shape().in(role);
    String module = spec.modules().get(role);
    QuantizedLinear linear =
        RoundToNearest.quantize(w, out, in, SCHEME, ScaleFormat.F32, StepRules.of(false));
    PartKey part = PartKey.of("rounded").add("module", module).build();
    try (PartWriter writer = environment.store().write(part)) {
      TileCodec.write(writer, module, out, 0, linear, w, null);
      writer.commit();
    }
    return new LearnedLinear(module, out, in, SCHEME, List.of(part));
  }

  private PartKey activations(String name, int hidden, float size) {
    Random random = new Random(name.hashCode());
    float[] x = new float[WINDOWS * WINDOW * hidden];
    for (int i = 0; i < x.length; i++) {
      x[i] = size * (float) random.nextGaussian();
    }
    PartKey part = PartKey.of(name).build();
    try (PartWriter writer = environment.store().write(part)) {
      Activations.write(writer, WINDOWS, 0, WINDOWS, WINDOW, x, hidden);
      writer.commit();
    }
    return part;
  }
}
