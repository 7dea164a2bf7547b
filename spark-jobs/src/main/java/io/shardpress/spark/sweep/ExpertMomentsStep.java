package io.shardpress.spark.sweep;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Sums the second moments that some experts' linears of a stage are solved from, each over the
 * tokens of a sample partition that the quantized chain routes to it: H̃ = X̃ᵀX̃ and P = (X −
 * X̃)ᵀX̃, where X is what the expert would read of the same tokens in full precision. An expert
 * with fewer than {@link Routed#FEWEST_TOKENS} tokens of the whole text has all tokens.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param stage GATE_UP or DOWN
 * @param full residual stream of the partition in full precision
 * @param routed residual streams and routing of the quantized chain, of all partitions
 */
public record ExpertMomentsStep(
    String arithmetic,
    Stage stage,
    ChainLink link,
    List<Integer> experts,
    PartKey full,
    List<PartKey> routed,
    SamplePartition samples,
    int window,
    Correction corrected)
    implements Step {
  /** f32 elements that a task may hold for its experts. */
  private static final long GROUP_ELEMENTS = 1L << 27;

  private static final StepKind KIND = new StepKind("moments.experts", 1);

  public ExpertMomentsStep {
    experts = List.copyOf(experts);
    routed = List.copyOf(routed);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** Experts in groups whose sums fit in a task, the shared one by itself. */
  public static List<List<Integer>> groups(BlockShape shape, Stage stage, Correction corrected) {
    long in = stage == Stage.DOWN ? shape.mixture().width() : shape.hidden();
    long each = elements(shape, stage, in, corrected);
    int count = (int) Math.max(1, GROUP_ELEMENTS / each);
    List<List<Integer>> groups = new ArrayList<>();
    for (int first = 0; first < shape.mixture().experts(); first += count) {
      int end = Math.min(shape.mixture().experts(), first + count);
      List<Integer> numbers = shape.mixture().numbers().subList(first, end);
      groups.add(List.copyOf(numbers));
    }
    if (shape.mixture().shared()) {
      groups.add(List.of(LinearRole.SHARED));
    }
    return groups;
  }

  private static long elements(BlockShape shape, Stage stage, long in, Correction corrected) {
    long sums = in * in * (corrected == Correction.NONE ? 1 : 2);
    return stage == Stage.DOWN ? sums + 6 * in * shape.hidden() : sums;
  }

  /** Elements that the largest task of a block holds for its experts, at most. */
  public static long largest(BlockShape shape) {
    long largest = 0;
    for (Stage stage : List.of(Stage.GATE_UP, Stage.DOWN)) {
      for (List<Integer> group : groups(shape, stage, Correction.INPUTS)) {
        boolean inside = stage == Stage.DOWN;
        long in = inside ? shape.mixture().width(group.get(0)) : shape.hidden();
        long each = elements(shape, stage, in, Correction.INPUTS);
        largest = Math.max(largest, group.size() * each);
      }
    }
    return largest;
  }

  @Override
  public Reads reads() {
    return Reads.parts(full);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    int tokens = samples.count() * window;
    BlockWeights norms = link.spec().load(environment.reader(), Set.of());
    float[] x = read(full, norms, environment);
    PartKey own = routed.get(samples.index());
    float[] quantized = read(own, norms, environment);
    Routing routing;
    try (PartReader reader = environment.store().read(own)) {
      routing = Routed.read(reader, shape.mixture());
    }
    long[] everywhere = Routed.tokens(environment.store(), routed, shape.mixture());
    try (PartWriter writer = environment.store().write(part())) {
      for (int expert : experts) {
        boolean all = expert != LinearRole.SHARED && everywhere[expert] < Routed.FEWEST_TOKENS;
        int[] rows = Routed.rows(routing, expert, all, tokens);
        sums(expert, rows, x, quantized, writer, environment);
        new CalibrationTokens(rows.length, all).writeOfExpert(writer, expert);
      }
      writer.commit();
    }
  }

  private void sums(
      int number,
      int[] rows,
      float[] x,
      float[] quantized,
      PartWriter writer,
      TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    int in = stage == Stage.DOWN ? shape.mixture().width(number) : shape.hidden();
    float[] h = new float[in * in];
    float[] p = new float[corrected == Correction.NONE ? 0 : in * in];
    // Of a partition none may be routed to it.
    if (rows.length > 0) {
      float[] mine = Mixture.gather(quantized, shape.hidden(), rows);
      float[] wanted = p.length == 0 ? null : Mixture.gather(x, shape.hidden(), rows);
      if (stage == Stage.DOWN) {
        Mixture mixture = new Mixture(shape, environment.matmul());
        MixtureWeights.Expert learned;
        if (wanted == null) {
          learned = link.inside(number, environment.reader(), environment.store());
        } else {
          MixtureWeights.Expert expert = link.spec().inside(number, environment.reader());
          wanted = mixture.inside(rows.length, wanted, expert, in, environment.workers());
          learned = link.quantized(expert, number, environment.store());
        }
        mine = mixture.inside(rows.length, mine, learned, in, environment.workers());
      }
      add(rows.length, in, wanted, mine, h, p, environment);
    }
    MomentsPart.write(writer, MomentsPart.moments(number), in, in, h);
    MomentsPart.write(writer, MomentsPart.correction(number), p.length / in, in, p);
  }

  /** H̃ += X̃ᵀX̃, and unless x is null P += (X − X̃)ᵀX̃; x becomes its difference. */
  private static void add(
      int rows,
      int in,
      float[] x,
      float[] quantized,
      float[] h,
      float[] p,
      TaskEnvironment environment) {
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    SymmetricRank.accumulate(matmul, quantized, 0, rows, in, h, workers);
    if (x != null) {
      Loops.chosen().addScaled(-1, quantized, 0, x, 0, rows * in);
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          in,
          in,
          rows,
          1,
          x,
          0,
          in,
          quantized,
          0,
          in,
          1,
          p,
          0,
          in,
          workers);
    }
  }

  /** What experts read of a partition's residual stream, [tokens × hidden]. */
  private float[] read(PartKey middle, BlockWeights norms, TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockActivations a = new BlockActivations(shape, samples.count() * window);
    int size = window * shape.hidden();
    try (PartReader reader = environment.store().read(middle)) {
      for (int i = 0; i < samples.count(); i++) {
        Activations.read(reader, i, a.middle(), i * size);
      }
    }
    block.resume(samples.count() * window, a);
    block.beginFeedForward(norms, a, environment.workers());
    return a.stageInput(Stage.GATE_UP);
  }
}
