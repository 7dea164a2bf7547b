package io.shardpress.spark.sweep;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.OpenParts;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Takes a sample partition through a block up to the input of a stage, in both chains, and sums the
 * second moments that the stage's linears are solved from: H̃ = X̃ᵀX̃ and P = (X − X̃)ᵀX̃.
 *
 * @param statistics the part for H̃ and, if {@code corrected}, P
 * @param state the part for what later stages need; null before the first
 */
public record MomentsStep(
    PartKey statistics,
    PartKey state,
    Stage stage,
    ChainLink link,
    StageInputs inputs,
    SamplePartition samples,
    int window,
    Correction corrected)
    implements Step {
  private static final int TILE_ELEMENTS = 1 << 23;

  @Override
  public List<PartKey> parts() {
    return state == null ? List.of(statistics) : List.of(statistics, state);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights original = link.spec().load(environment.reader(), linears(shape));
    BlockWeights quantized = link.quantized(original, environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    ChainPass[] chains = {
      new ChainPass(block, original, 0, batch, environment.workers()),
      new ChainPass(block, quantized, 1, batch, environment.workers())
    };
    int in = shape.in(stage);
    float[] h = new float[in * in];
    float[] p = new float[correctionRows(corrected, stage, shape) * in];
    try (PartReader full = environment.store().read(inputs.full());
        PartReader other = environment.store().read(inputs.quantized());
        OpenParts<Stage> states = OpenParts.of(environment.store(), inputs.states());
        PartWriter kept = state == null ? null : environment.store().write(state)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        chains[0].advanceTo(stage, full, states.readers(), first, count);
        chains[1].advanceTo(stage, other, states.readers(), first, count);
        if (kept != null) {
          keep(kept, chains, first, count);
        }
        accumulate(chains, original, count * window, in, h, p, environment);
      }
      if (kept != null) {
        kept.commit();
      }
    }
    try (PartWriter writer = environment.store().write(statistics)) {
      writeRows(writer, moments(LinearRole.NONE), in, in, h);
      writeRows(writer, correction(LinearRole.NONE), p.length / in, in, p);
      writer.commit();
    }
  }

  /** The linears that it needs: of those of the stage itself only what corrects for an output. */
  private Set<LinearRole> linears(BlockShape shape) {
    Set<LinearRole> linears = new TreeSet<>(ChainPass.linearsBefore(stage, shape));
    if (corrected == Correction.OUTPUTS) {
      linears.addAll(shape.linears(stage));
    }
    return linears;
  }

  /** The tensor H̃ of a part: of an expert, or of all tokens where that is none. */
  public static String moments(int expert) {
    return expert == LinearRole.NONE ? "h" : "h " + expert;
  }

  /** The tensor P of a part, likewise. */
  public static String correction(int expert) {
    return expert == LinearRole.NONE ? "p" : "p " + expert;
  }

  /** Rows of the sums that a correction is made from. */
  public static int correctionRows(Correction corrected, Stage stage, BlockShape shape) {
    return switch (corrected) {
      case NONE -> 0;
      case INPUTS -> shape.in(stage);
      case OUTPUTS -> shape.hidden();
    };
  }

  /** Adds a batch; what the full-precision chain has of it becomes its difference. */
  private void accumulate(
      ChainPass[] chains,
      BlockWeights original,
      int rows,
      int in,
      float[] h,
      float[] p,
      TaskEnvironment environment) {
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    float[] quantized = chains[1].activations().stageInput(stage);
    SymmetricRank.accumulate(matmul, quantized, 0, rows, in, h, workers);
    if (corrected == Correction.NONE) {
      return;
    }
    float[] error = difference(chains[0].activations().stageInput(stage), quantized, rows * in);
    int width = in;
    if (corrected == Correction.OUTPUTS) {
      LinearRole role = stage == Stage.O ? LinearRole.O : LinearRole.DOWN;
      width = p.length / in;
      float[] inputError = error;
      error = difference(chains[0].residual(stage), chains[1].residual(stage), rows * width);
      float[] w = original.linear(role);
      matmul.multiply(
          Op.AS_IS,
          Op.TRANSPOSED,
          rows,
          width,
          in,
          1,
          inputError,
          0,
          in,
          w,
          0,
          in,
          1,
          error,
          0,
          width,
          workers);
    }
    matmul.multiply(
        Op.TRANSPOSED,
        Op.AS_IS,
        width,
        in,
        rows,
        1,
        error,
        0,
        width,
        quantized,
        0,
        in,
        1,
        p,
        0,
        in,
        workers);
  }

  /** x ← x − y, and gives x. */
  private static float[] difference(float[] x, float[] y, int length) {
    Loops.chosen().addScaled(-1, y, 0, x, 0, length);
    return x;
  }

  /** Writes the state of a batch in both chains. */
  private void keep(PartWriter writer, ChainPass[] chains, int first, int count) {
    float[] full = ChainPass.state(stage, chains[0].activations());
    float[] other = ChainPass.state(stage, chains[1].activations());
    int width = full.length / chains[0].activations().capacity();
    Activations.write(
        writer,
        samples.count(),
        first,
        count,
        window,
        new float[][] {full, other},
        new int[] {width, width});
  }

  /** Writes a matrix in tiles of whole rows. */
  public static void writeRows(PartWriter writer, String name, int rows, int n, float[] values) {
    int tileRows = tileRows(n);
    for (int start = 0; start < rows; start += tileRows) {
      int count = Math.min(tileRows, rows - start);
      writer.addFloats(name, List.of((long) rows, (long) n), start, count, values, start * n);
    }
  }

  /** Rows of a tile of a matrix with rows of n. */
  public static int tileRows(int n) {
    return Math.max(1, TILE_ELEMENTS / n);
  }
}
