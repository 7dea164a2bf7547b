package io.shardpress.spark.learn.blockwise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.family.TinyFamily;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.ExpertMomentsStep;
import io.shardpress.spark.sweep.Routed;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an expert learns on, by a routing that the test makes up. */
class ExpertPoolTest {
  private static final int WINDOW = 32;
  private static final int WINDOWS = 40;
  private static final int TOKENS = WINDOW * WINDOWS;
  private static final List<SamplePartition> SAMPLES =
      List.of(new SamplePartition(0, 0, 24), new SamplePartition(1, 24, 16));

  @TempDir Path folder;

  private TaskEnvironment environment;
  private BlockSpec spec;
  private BlockWeights weights;
  private int hidden;
  private final List<PartKey> full = new ArrayList<>();
  private final List<PartKey> routed = new ArrayList<>();
  private final float[][] x = new float[2][];

  @BeforeEach
  void writeStreams() throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    Checkpoint checkpoint = Checkpoint.open(model.toString(), new Configuration());
    spec = BlockSpec.of(Contents.named(checkpoint), checkpoint.config(), 0);
    environment =
        new TaskEnvironment(
            RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString()),
            new Configuration(false),
            1);
    weights = spec.load(environment.reader());
    hidden = spec.shape().hidden();
    Random random = new Random(6);
    for (int chain = 0; chain < 2; chain++) {
      x[chain] = new float[TOKENS * hidden];
      for (int i = 0; i < x[chain].length; i++) {
        x[chain][i] = (float) random.nextGaussian();
      }
      for (SamplePartition samples : SAMPLES) {
        PartKey part = PartKey.of("stream").add("c", chain).add("p", samples).build();
        (chain == 0 ? full : routed).add(part);
        write(part, samples, x[chain], chain == 1);
      }
    }
  }

  @AfterEach
  void close() {
    environment.close();
  }

  /** Experts of a token: 255 of all have expert 0, 256 have expert 1. */
  private static int[] experts(int token) {
    return switch (token == 1275 ? 2 : token % 5) {
      case 0 -> new int[] {0, 2};
      case 1 -> new int[] {3, 1};
      default -> new int[] {2, 3};
    };
  }

  private void write(PartKey part, SamplePartition samples, float[] stream, boolean routes) {
    int from = samples.first() * WINDOW;
    int tokens = samples.count() * WINDOW;
    float[] own = java.util.Arrays.copyOfRange(stream, from * hidden, (from + tokens) * hidden);
    try (PartWriter writer = environment.store().write(part)) {
      Activations.write(writer, samples.count(), 0, samples.count(), WINDOW, own, hidden);
      if (routes) {
        int[] chosen = new int[2 * tokens];
        for (int t = 0; t < tokens; t++) {
          System.arraycopy(experts(from + t), 0, chosen, 2 * t, 2);
        }
        Routed.write(writer, chosen, tokens, spec.shape().mixture());
      }
      writer.commit();
    }
  }

  @Test
  void anExpertWith256TokensLearnsOnThem() {
    ExpertPool pool = pool(1);
    assertThat(pool.calibration()).isEqualTo(new CalibrationTokens(256, false));
    assertThat(pool.count()).isEqualTo(256);
    for (int i = 0; i < 256; i += 5) {
      check(pool, i, 5 * i + 1, 1);
    }
  }

  @Test
  void anExpertWithFewerLearnsOnAll() {
    ExpertPool pool = pool(0);
    assertThat(pool.calibration()).isEqualTo(new CalibrationTokens(TOKENS, true));
    assertThat(pool.count()).isEqualTo(TOKENS);
    for (int i = 0; i < TOKENS; i += 39) {
      check(pool, i, i, 0);
    }
  }

  private ExpertPool pool(int expert) {
    MixtureWeights.Expert original = weights.mixture().expert(expert);
    return ExpertPool.read(
        spec, expert, original, weights, full, routed, SAMPLES, WINDOW, environment);
  }

  /** It reads the quantized chain, and is to give what it gives in full precision. */
  private void check(ExpertPool pool, int place, int token, int expert) {
    double[] wanted = normed(x[1], token);
    for (int i = 0; i < hidden; i++) {
      assertThat((double) pool.inputs()[place * hidden + i]).isCloseTo(wanted[i], within(1e-5));
    }
    MixtureWeights.Expert w = weights.mixture().expert(expert);
    double[] read = normed(x[0], token);
    double[] inside = new double[w.gate().length / hidden];
    for (int i = 0; i < inside.length; i++) {
      double gate = dot(w.gate(), i, read);
      inside[i] = gate / (1 + Math.exp(-gate)) * dot(w.up(), i, read);
    }
    for (int i = 0; i < hidden; i++) {
      assertThat((double) pool.targets()[place * hidden + i])
          .isCloseTo(dot(w.down(), i, inside), within(1e-3));
    }
  }

  private double[] normed(float[] stream, int token) {
    double squares = 0;
    for (int i = 0; i < hidden; i++) {
      squares += (double) stream[token * hidden + i] * stream[token * hidden + i];
    }
    double[] normed = new double[hidden];
    for (int i = 0; i < hidden; i++) {
      double value = stream[token * hidden + i] / Math.sqrt(squares / hidden + 1e-5);
      normed[i] = value * weights.postNorm()[i];
    }
    return normed;
  }

  private static double dot(float[] w, int row, double[] v) {
    double sum = 0;
    for (int i = 0; i < v.length; i++) {
      sum += w[row * v.length + i] * v[i];
    }
    return sum;
  }

  /** GPTQ's sums have the same tokens: of 24 windows all 768, or every fifth from the second on. */
  @Test
  void momentsAreSummedOverTheSameTokens() {
    ExpertMomentsStep step =
        new ExpertMomentsStep(
            "any",
            Stage.GATE_UP,
            new ChainLink(spec, Map.of()),
            List.of(0, 1),
            full.get(0),
            routed,
            SAMPLES.get(0),
            WINDOW,
            Correction.NONE);
    step.run(environment);
    try (PartReader reader = environment.store().read(step.part())) {
      assertThat(reader.note("expert.0")).isEqualTo("768 true");
      assertThat(reader.note("expert.1")).isEqualTo("154 false");
    }
  }

  /** Of the quantized chain's experts those linears are in four bits that have been learned. */
  @Test
  void theQuantizedChainHasWhatExpertsHaveLearned() {
    LinearRole role = LinearRole.ofExpert(2).get(0);
    WeightScheme scheme = new WeightScheme(4, true, 32);
    float[] gate = weights.mixture().expert(2).gate();
    int out = gate.length / hidden;
    QuantizedLinear rounded =
        RoundToNearest.quantize(gate, out, hidden, scheme, ScaleFormat.BF16, new MinMax());
    PartKey part = PartKey.of("gate").build();
    String module = spec.modules().get(role);
    try (PartWriter writer = environment.store().write(part)) {
      TileCodec.write(writer, module, out, 0, rounded, gate, null);
      writer.commit();
    }
    LearnedLinear learned = new LearnedLinear(module, out, hidden, scheme, List.of(part));
    MixtureWeights chain =
        new ChainLink(spec, Map.of(role, learned))
            .quantized(weights, environment.store())
            .mixture();
    assertThat(chain.router()).isEqualTo(weights.mixture().router());
    assertThat(chain.expert(1).gate()).isEqualTo(weights.mixture().expert(1).gate());
    assertThat(chain.expert(2).up()).isEqualTo(weights.mixture().expert(2).up());
    float[] found = chain.expert(2).gate();
    for (int group = 0; group < found.length; group += 32) {
      Set<Float> values = new HashSet<>();
      double most = 0;
      for (int i = group; i < group + 32; i++) {
        values.add(found[i]);
        most = Math.max(most, Math.abs(gate[i]));
      }
      assertThat(values).hasSizeBetween(2, 16);
      for (int i = group; i < group + 32; i++) {
        assertThat((double) found[i]).isCloseTo(gate[i], within(most / 7));
      }
    }
  }
}
