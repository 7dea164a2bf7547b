package io.shardpress.spark.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.family.TinyFamily;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sums of each expert over its own tokens, against routing and sums in f64. */
class ExpertMomentsStepTest {
  private static final int WINDOW = 32;
  private static final int WINDOWS = 40;
  private static final int ROWS = WINDOW * WINDOWS;

  @TempDir Path folder;

  @Test
  void everyExpertHasTheTokensThatAreRoutedToIt() throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(model.toString(), new Configuration());
    BlockSpec spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), 1);
    RunSettings settings =
        RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString());
    ChainLink link = new ChainLink(spec, Map.of());
    int hidden = spec.shape().hidden();
    int experts = spec.shape().mixture().experts();
    try (TaskEnvironment environment = new TaskEnvironment(settings, new Configuration(false), 2)) {
      float[] x = new float[ROWS * hidden];
      float[] y = new float[x.length];
      Random random = new Random(8);
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) random.nextGaussian();
        y[i] = x[i] + 0.2f * (float) random.nextGaussian();
      }
      List<SamplePartition> partitions =
          List.of(new SamplePartition(0, 0, 24), new SamplePartition(1, 24, 16));
      List<PartKey> full = new ArrayList<>();
      List<PartKey> routed = new ArrayList<>();
      for (SamplePartition samples : partitions) {
        full.add(middle(link, samples, x, false, environment));
        routed.add(middle(link, samples, y, true, environment));
      }
      BlockWeights weights = spec.load(environment.reader());
      float[] wanted = read(spec, weights, x, environment);
      float[] found = read(spec, weights, y, environment);
      for (Stage stage : List.of(Stage.GATE_UP, Stage.DOWN)) {
        for (int expert = 0; expert < experts; expert++) {
          check(stage, expert, link, partitions, full, routed, weights, wanted, found, environment);
        }
      }
    }
  }

  private static void check(
      Stage stage,
      int expert,
      ChainLink link,
      List<SamplePartition> partitions,
      List<PartKey> full,
      List<PartKey> routed,
      BlockWeights weights,
      float[] wanted,
      float[] found,
      TaskEnvironment environment) {
    int hidden = link.spec().shape().hidden();
    int width = stage == Stage.DOWN ? link.spec().shape().mixture().width() : hidden;
    double[] h = new double[width * width];
    double[] p = new double[width * width];
    int tokens = 0;
    for (int row = 0; row < ROWS; row++) {
      double[] mine = token(found, row, hidden);
      if (!chosen(weights.mixture().router(), mine, expert)) {
        continue;
      }
      tokens++;
      double[] other = token(wanted, row, hidden);
      if (stage == Stage.DOWN) {
        mine = inside(weights.mixture().expert(expert), mine, width);
        other = inside(weights.mixture().expert(expert), other, width);
      }
      for (int i = 0; i < width; i++) {
        for (int j = 0; j < width; j++) {
          h[i * width + j] += mine[i] * mine[j];
          p[i * width + j] += (other[i] - mine[i]) * mine[j];
        }
      }
    }
    assertThat(tokens).isBetween(Routed.FEWEST_TOKENS, ROWS - 1);
    double[] sumH = new double[h.length];
    double[] sumP = new double[p.length];
    long counted = 0;
    for (SamplePartition samples : partitions) {
      ExpertMomentsStep step =
          new ExpertMomentsStep(
              "any",
              stage,
              link,
              List.of((expert + 1) % 4, expert),
              full.get(samples.index()),
              routed,
              samples,
              WINDOW,
              Correction.INPUTS);
      step.run(environment);
      try (PartReader reader = environment.store().read(step.part())) {
        // Of each expert a tile of H and one of P.
        add(reader.row(2).floats(), sumH);
        add(reader.row(3).floats(), sumP);
        String note = reader.note("expert." + expert);
        assertThat(note).endsWith(" false");
        counted += Long.parseLong(note.split(" ")[0]);
      }
    }
    assertThat(counted).isEqualTo(tokens);
    near(sumH, h);
    near(sumP, p);
  }

  private static void add(float[] values, double[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += values[i];
    }
  }

  private static void near(double[] found, double[] wanted) {
    double squares = 0;
    for (double value : wanted) {
      squares += value * value;
    }
    double tolerance = 1e-4 * Math.sqrt(squares / wanted.length);
    for (int i = 0; i < wanted.length; i += 7) {
      assertThat(found[i]).isCloseTo(wanted[i], within(tolerance));
    }
  }

  private static boolean chosen(float[] router, double[] x, int expert) {
    int better = 0;
    for (int e = 0; e < router.length / x.length; e++) {
      better += dot(router, e, x) > dot(router, expert, x) ? 1 : 0;
    }
    return better < 2;
  }

  private static double[] inside(MixtureWeights.Expert expert, double[] x, int width) {
    double[] y = new double[width];
    for (int i = 0; i < width; i++) {
      double gate = dot(expert.gate(), i, x);
      y[i] = gate / (1 + Math.exp(-gate)) * dot(expert.up(), i, x);
    }
    return y;
  }

  private static double dot(float[] w, int row, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += w[row * x.length + i] * x[i];
    }
    return sum;
  }

  private static double[] token(float[] x, int row, int hidden) {
    double[] token = new double[hidden];
    for (int i = 0; i < hidden; i++) {
      token[i] = x[row * hidden + i];
    }
    return token;
  }

  private static PartKey middle(
      ChainLink link,
      SamplePartition samples,
      float[] x,
      boolean routes,
      TaskEnvironment environment) {
    int size = WINDOW * link.spec().shape().hidden();
    PartKey input = PartKey.of("in").add("p", samples).add("r", routes).build();
    try (PartWriter writer = environment.store().write(input)) {
      for (int i = 0; i < samples.count(); i++) {
        List<Long> shape = List.of((long) samples.count(), (long) size);
        writer.addFloats("x0", shape, i, 1, x, (samples.first() + i) * size);
      }
      writer.commit();
    }
    Observer beside = routes ? new RoutingObserver() : new Unobserved();
    ForwardStep step =
        new ForwardStep(
            new BlockOutput("any", link, input, samples, WINDOW, Span.ATTENTION, beside));
    step.run(environment);
    return step.outputPart();
  }

  /** What experts read: the block's first half is held against its formulas elsewhere. */
  private static float[] read(
      BlockSpec spec, BlockWeights weights, float[] x, TaskEnvironment environment) {
    BlockActivations a = new BlockActivations(spec.shape(), ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    new DecoderBlock(spec.shape(), WINDOW, environment.matmul())
        .attentionOnly()
        .forward(weights, ROWS, a, environment.workers());
    return a.stageInput(Stage.GATE_UP);
  }
}
