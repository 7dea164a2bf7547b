package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.Routed;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.List;

/**
 * The tokens that an expert learns on, spread evenly over those that it is calibrated on: what it
 * reads in the quantized chain, and what it would give in full precision.
 *
 * @param inputs [count × hidden]
 * @param targets [count × hidden]
 * @param calibration what they were chosen from
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares two of them
record ExpertPool(int count, float[] inputs, float[] targets, CalibrationTokens calibration) {
  /** Elements of the inputs at most. */
  private static final int MOST_ELEMENTS = 1 << 26;

  private static final int MOST_TOKENS = 1 << 14;

  /** Tokens that a pool of a block has at most. */
  static int most(BlockShape shape) {
    return Math.max(1, Math.min(MOST_TOKENS, MOST_ELEMENTS / shape.hidden()));
  }

  static ExpertPool read(
      BlockSpec spec,
      int expert,
      MixtureWeights.Expert original,
      BlockWeights norms,
      List<PartKey> full,
      List<PartKey> routed,
      List<SamplePartition> samples,
      int window,
      TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    int hidden = shape.hidden();
    long windows = samples.stream().mapToInt(SamplePartition::count).sum();
    boolean all = expert == LinearRole.SHARED;
    long available = windows * window;
    boolean few = false;
    if (!all) {
      long tokens = Routed.tokens(environment.store(), routed, shape.mixture())[expert];
      few = tokens < Routed.FEWEST_TOKENS;
      available = few ? available : tokens;
    }
    int count = (int) Math.min(available, most(shape));
    float[] inputs = new float[count * hidden];
    float[] wanted = new float[count * hidden];
    long seen = 0;
    int taken = 0;
    Chains chains = new Chains(spec, window, norms, environment);
    for (SamplePartition partition : samples) {
      int[] rows = chains.rows(routed.get(partition.index()), partition, expert, few);
      int first = taken;
      int[] chosen = new int[rows.length];
      for (int row : rows) {
        // The token with number floor(i·available/count) is the i-th of the pool.
        if (taken < count && seen == taken * available / count) {
          chosen[taken++ - first] = row;
        }
        seen++;
      }
      int[] here = java.util.Arrays.copyOf(chosen, taken - first);
      chains.copy(routed.get(partition.index()), partition, here, inputs, first);
      chains.copy(full.get(partition.index()), partition, here, wanted, first);
    }
    Mixture mixture = new Mixture(shape, environment.matmul());
    int width = shape.mixture().width(expert);
    float[] inside = mixture.inside(count, wanted, original, width, environment.workers());
    float[] targets = mixture.down(count, inside, original, width, environment.workers());
    return new ExpertPool(count, inputs, targets, new CalibrationTokens(available, few));
  }

  /** What experts read, from the residual streams in the store. */
  private static final class Chains {
    private final BlockSpec spec;
    private final int window;
    private final BlockWeights norms;
    private final TaskEnvironment environment;
    private final DecoderBlock block;

    Chains(BlockSpec spec, int window, BlockWeights norms, TaskEnvironment environment) {
      this.spec = spec;
      this.window = window;
      this.norms = norms;
      this.environment = environment;
      this.block = new DecoderBlock(spec.shape(), window, environment.matmul());
    }

    int[] rows(PartKey part, SamplePartition partition, int expert, boolean all) {
      try (PartReader reader = environment.store().read(part)) {
        Routing routing = Routed.read(reader, spec.shape().mixture());
        return Routed.rows(routing, expert, all, partition.count() * window);
      }
    }

    /** Copies some tokens of a partition into x [… × hidden] from a place on. */
    void copy(PartKey part, SamplePartition partition, int[] rows, float[] x, int place) {
      int hidden = spec.shape().hidden();
      BlockActivations a = new BlockActivations(spec.shape(), window);
      int next = 0;
      try (PartReader reader = environment.store().read(part)) {
        for (int i = 0; i < partition.count() && next < rows.length; i++) {
          if (rows[next] >= (i + 1) * window) {
            continue;
          }
          Activations.read(reader, i, a.middle(), 0);
          block.resume(window, a);
          block.beginFeedForward(norms, a, environment.workers());
          float[] read = a.stageInput(Stage.GATE_UP);
          while (next < rows.length && rows[next] < (i + 1) * window) {
            int from = (rows[next] - i * window) * hidden;
            System.arraycopy(read, from, x, (place + next) * hidden, hidden);
            next++;
          }
        }
      }
    }
  }
}
