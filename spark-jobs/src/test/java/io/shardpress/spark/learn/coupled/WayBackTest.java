package io.shardpress.spark.learn.coupled;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.nn.BackwardObserver;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.DrawnLabels;
import io.shardpress.kernels.nn.HeadGradient;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.BackwardStep;
import io.shardpress.spark.sweep.HeadStep;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The steps of the way back, over partitions of windows and parts, against one pass of the kernels
 * over all windows, and row factors against sums in f64.
 */
class WayBackTest {
  private static final int WINDOWS = 5;
  private static final int WINDOW = 16;
  private static final int ROWS = WINDOWS * WINDOW;

  @TempDir private Path folder;

  @Test
  void partitionsGiveWhatOnePassGives() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(model.toString(), new Configuration());
    BlockSpec spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), 1);
    ModelHead head = ModelHead.of(Contents.named(checkpoint), checkpoint.config());
    RunSettings settings =
        RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString());
    try (TaskEnvironment environment = new TaskEnvironment(settings, new Configuration(false), 1)) {
      BlockShape shape = spec.shape();
      int hidden = shape.hidden();
      float[] x = random(ROWS * hidden);
      BlockWeights weights = spec.load(environment.reader());
      BlockActivations a = new BlockActivations(shape, ROWS);
      System.arraycopy(x, 0, a.input(), 0, x.length);
      DecoderBlock block = new DecoderBlock(shape, WINDOW, environment.matmul());
      block.forward(weights, ROWS, a, environment.workers());
      float[] y = Arrays.copyOf(a.output(), x.length);
      float[] dy = new float[x.length];
      HeadGradient.Batch batch =
          new HeadGradient.Batch(
              y, ROWS, WINDOW, head.readNorm(environment), head.rows(environment));
      head.gradient(environment).drawn(batch, new DrawnLabels(7), 1, 0, dy, environment.workers());
      float[] dx = new float[x.length];
      Sums sums = new Sums();
      block.backward(
          weights, a, dy, dx, new BlockGradients(shape, ROWS), sums, environment.workers());

      List<PartKey> observed = new ArrayList<>();
      int index = 0;
      for (int[] part : new int[][] {{0, 2}, {2, 3}}) {
        SamplePartition samples = new SamplePartition(index++, part[0], part[1]);
        PartKey input = write(environment, "x" + index, samples, x, hidden);
        PartKey output = write(environment, "y" + index, samples, y, hidden);
        HeadStep first = new HeadStep("any", head, output, samples, WINDOW, 7, 1);
        first.run(environment);
        check(environment, first.part(), samples, dy, hidden);
        BackwardStep back =
            new BackwardStep(
                "any",
                new ChainLink(spec, Map.of()),
                input,
                first.part(),
                samples,
                WINDOW,
                false,
                new RowFactorsObserver());
        back.run(environment);
        check(environment, back.passedOn(), samples, dx, hidden);
        observed.add(back.observed());
      }
      for (Stage site : Stage.values()) {
        SiteRows rows = SiteRows.of(shape, site, LinearRole.NONE);
        RowFactorsStep step = new RowFactorsStep("any", observed, rows, 0.1);
        step.run(environment);
        assertThat(rows.whole()).isTrue();
        float[] found = RowFactorsStep.read(environment.store(), step.part(), rows, 0);
        checkFactors(site, found, sums.of.get(site));
      }
    }
  }

  /** (A + 0.1·mean·I)/mean. */
  private static void checkFactors(Stage site, float[] found, double[] a) {
    int n = (int) Math.sqrt(a.length);
    double mean = 0;
    for (int i = 0; i < n; i++) {
      mean += a[i * n + i] / n;
    }
    double worst = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double wanted = a[i * n + j] / mean + (i == j ? 0.1 : 0);
        worst = Math.max(worst, Math.abs(wanted - found[i * n + j]));
      }
    }
    assertThat(worst).as(site.toString()).isLessThan(1e-4);
  }

  /** Σ |x|²·g·gᵀ of each site, in f64. */
  private static final class Sums implements BackwardObserver {
    private final Map<Stage, double[]> of = new EnumMap<>(Stage.class);

    @Override
    public void stage(StageGradients stage, Workers workers) {
      int n = stage.out();
      float[] g = stage.stacked(workers);
      double[] sum = new double[n * n];
      for (int t = 0; t < stage.tokens(); t++) {
        double squares = 0;
        for (int j = 0; j < stage.in(); j++) {
          double value = stage.inputs()[t * stage.in() + j];
          squares += value * value;
        }
        for (int i = 0; i < n; i++) {
          for (int j = 0; j < n; j++) {
            sum[i * n + j] += squares * g[t * n + i] * g[t * n + j];
          }
        }
      }
      of.put(stage.stage(), sum);
    }
  }

  /** Windows of a part, within 1e-4 of the root mean square of all. */
  private static void check(
      TaskEnvironment environment, PartKey part, SamplePartition samples, float[] all, int hidden) {
    double squares = 0;
    for (float value : all) {
      squares += (double) value * value;
    }
    double size = Math.sqrt(squares / all.length);
    assertThat(size).isPositive();
    float[] window = new float[WINDOW * hidden];
    try (PartReader reader = environment.store().read(part)) {
      for (int i = 0; i < samples.count(); i++) {
        Activations.read(reader, i, window, 0);
        int at = (samples.first() + i) * window.length;
        double worst = 0;
        for (int k = 0; k < window.length; k++) {
          worst = Math.max(worst, Math.abs(window[k] - all[at + k]));
        }
        assertThat(worst).as("window %d", samples.first() + i).isLessThan(1e-4 * size);
      }
    }
  }

  private static PartKey write(
      TaskEnvironment environment, String name, SamplePartition samples, float[] all, int hidden) {
    PartKey part = PartKey.of(name).build();
    int size = WINDOW * hidden;
    int first = samples.first() * size;
    float[] some = Arrays.copyOfRange(all, first, first + samples.count() * size);
    try (PartWriter writer = environment.store().write(part)) {
      Activations.write(writer, samples.count(), 0, samples.count(), WINDOW, some, hidden);
      writer.commit();
    }
    return part;
  }

  private static float[] random(int length) {
    Random random = new Random(3);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
