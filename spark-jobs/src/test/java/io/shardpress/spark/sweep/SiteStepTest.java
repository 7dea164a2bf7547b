package io.shardpress.spark.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sums of a stage, against whole forward passes of the block and sums in f64. */
class SiteStepTest {
  private static final int WINDOWS = 3;
  private static final int WINDOW = 16;
  private static final int ROWS = WINDOWS * WINDOW;

  @TempDir Path folder;

  @Test
  void statisticsOfEveryStage() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(model.toString(), new Configuration());
    BlockSpec spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), 0);
    RunSettings settings =
        RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString());
    SamplePartition samples = new SamplePartition(0, 0, WINDOWS);
    try (TaskEnvironment environment = new TaskEnvironment(settings, new Configuration(false), 1)) {
      int hidden = spec.shape().hidden();
      float[] x = random(ROWS * hidden, 1);
      float[] y = x.clone();
      float[] noise = random(ROWS * hidden, 2);
      for (int i = 0; i < y.length; i++) {
        y[i] += 0.1f * noise[i];
      }
      PartKey full = write(environment, "full", x, hidden);
      PartKey other = write(environment, "other", y, hidden);
      BlockActivations a = forward(spec, x, environment);
      BlockActivations b = forward(spec, y, environment);
      Map<Stage, PartKey> states = new EnumMap<>(Stage.class);
      for (Stage stage : Stage.values()) {
        boolean adds = stage == Stage.O || stage == Stage.DOWN;
        SiteStep step =
            new SiteStep(
                "any",
                stage,
                new ChainLink(spec, Map.of()),
                new StageInputs(full, other, new EnumMap<>(states)),
                samples,
                WINDOW,
                new MomentsObserver(adds ? Correction.OUTPUTS : Correction.INPUTS));
        step.run(environment);
        step.state().ifPresent(state -> states.put(stage, state));
        float[] inputs = b.stageInput(stage);
        float[] whole = adds ? behind(stage, a) : a.stageInput(stage);
        float[] error = (adds ? behind(stage, b) : inputs).clone();
        for (int i = 0; i < error.length; i++) {
          error[i] = whole[i] - error[i];
        }
        try (PartReader reader = environment.store().read(step.observed())) {
          assertThat(reader.rows()).isEqualTo(2);
          check(stage + " h", reader.row(0).floats(), inputs, inputs);
          check(stage + " p", reader.row(1).floats(), error, inputs);
        }
      }
    }
  }

  /** The residual stream behind a stage's linear. */
  private static float[] behind(Stage stage, BlockActivations a) {
    return stage == Stage.O ? a.middle() : a.output();
  }

  /** leftᵀ·right, with 1e-4 of its root mean square. */
  private static void check(String name, float[] found, float[] left, float[] right) {
    int rows = left.length / ROWS;
    int columns = right.length / ROWS;
    assertThat(found).as(name).hasSize(rows * columns);
    double worst = 0;
    double squares = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        double sum = 0;
        for (int row = 0; row < ROWS; row++) {
          sum += (double) left[row * rows + i] * right[row * columns + j];
        }
        squares += sum * sum;
        worst = Math.max(worst, Math.abs(sum - found[i * columns + j]));
      }
    }
    assertThat(worst).as(name).isLessThan(1e-4 * Math.sqrt(squares / found.length));
  }

  private static BlockActivations forward(
      BlockSpec spec, float[] input, TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    BlockWeights weights = spec.load(environment.reader());
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(input, 0, a.input(), 0, input.length);
    new DecoderBlock(shape, WINDOW, environment.matmul())
        .forward(weights, ROWS, a, environment.workers());
    return a;
  }

  private static PartKey write(
      TaskEnvironment environment, String name, float[] values, int width) {
    PartKey key = PartKey.of(name).build();
    try (PartWriter writer = environment.store().write(key)) {
      Activations.write(writer, WINDOWS, 0, WINDOWS, WINDOW, values, width);
      writer.commit();
    }
    return key;
  }

  private static float[] random(int length, long seed) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
