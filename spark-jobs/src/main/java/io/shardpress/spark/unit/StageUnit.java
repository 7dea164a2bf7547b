package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Takes a sample partition through a block up to the input of a stage, in both chains, and sums the
 * second moments that the stage's linears are solved from: H̃ = X̃ᵀX̃ and P = (X − X̃)ᵀX̃.
 *
 * @param statistics the part for H̃ and, if {@code corrected}, P
 * @param state the part for what later stages need; null before the first
 */
public record StageUnit(
    PartKey statistics,
    PartKey state,
    Stage stage,
    ChainLink link,
    StageInputs inputs,
    SamplePartition samples,
    int window,
    Correction corrected)
    implements UnitOfWork {
  private static final int TILE_ELEMENTS = 1 << 23;

  @Override
  public List<PartKey> parts() {
    return state == null ? List.of(statistics) : List.of(statistics, state);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights original = link.spec().load(environment.reader());
    BlockWeights quantized = link.quantized(original, environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    ChainPass[] chains = {
      new ChainPass(block, original, 0, samples.count(), batch, environment.workers()),
      new ChainPass(block, quantized, 1, samples.count(), batch, environment.workers())
    };
    int in = shape.in(stage.linears().get(0));
    float[] h = new float[in * in];
    float[] p = new float[correctionRows(corrected, stage, shape) * in];
    float[][] gathered = gather(chains);
    try (PartReader full = environment.store().read(inputs.full());
        PartReader other = environment.store().read(inputs.quantized());
        OpenParts states = OpenParts.of(inputs.states(), environment.store())) {
      float[][] errors = new float[2][];
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        chains[0].advanceTo(stage, full, states.readers(), first, count);
        chains[1].advanceTo(stage, other, states.readers(), first, count);
        accumulate(chains, original, count * window, in, h, p, errors, environment);
        keep(chains, first, count, gathered);
      }
    }
    write(environment, in, h, p, gathered);
  }

  /** Rows of the sums that a correction is made from. */
  public static int correctionRows(Correction corrected, Stage stage, BlockShape shape) {
    return switch (corrected) {
      case NONE -> 0;
      case INPUTS -> shape.in(stage.linears().get(0));
      case OUTPUTS -> shape.out(stage.linears().get(0));
    };
  }

  private void accumulate(
      ChainPass[] chains,
      BlockWeights original,
      int rows,
      int in,
      float[] h,
      float[] p,
      float[][] errors,
      TaskEnvironment environment) {
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    float[] quantized = chains[1].activations().stageInput(stage);
    SymmetricRank.accumulate(matmul, quantized, 0, rows, in, h, workers);
    if (corrected == Correction.NONE) {
      return;
    }
    float[] error =
        difference(chains[0].activations().stageInput(stage), quantized, rows * in, errors, 0);
    int width = in;
    if (corrected == Correction.OUTPUTS) {
      LinearRole role = stage.linears().get(0);
      width = p.length / in;
      float[] inputError = error;
      error =
          difference(chains[0].residual(stage), chains[1].residual(stage), rows * width, errors, 1);
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

  /** x − y, in a place of {@code room} that keeps its array from batch to batch. */
  private static float[] difference(float[] x, float[] y, int length, float[][] room, int place) {
    if (room[place] == null || room[place].length < length) {
      room[place] = new float[length];
    }
    float[] difference = room[place];
    for (int i = 0; i < length; i++) {
      difference[i] = x[i] - y[i];
    }
    return difference;
  }

  /** Room for the state of the whole partition: places of the stage times two chains. */
  private float[][] gather(ChainPass[] chains) {
    List<float[]> gathered = new ArrayList<>();
    int batchRows = chains[0].activations().input().length / link.spec().shape().hidden();
    for (float[] array : ChainPass.state(stage, chains[0].activations())) {
      int width = array.length / batchRows;
      for (int chain = 0; chain < chains.length; chain++) {
        gathered.add(new float[samples.count() * window * width]);
      }
    }
    return gathered.toArray(float[][]::new);
  }

  private void keep(ChainPass[] chains, int first, int count, float[][] gathered) {
    for (int chain = 0; chain < chains.length; chain++) {
      float[][] state = ChainPass.state(stage, chains[chain].activations());
      for (int place = 0; place < state.length; place++) {
        float[] into = gathered[place * chains.length + chain];
        int size = into.length / samples.count();
        System.arraycopy(state[place], 0, into, first * size, count * size);
      }
    }
  }

  private void write(
      TaskEnvironment environment, int in, float[] h, float[] p, float[][] gathered) {
    try (PartWriter writer = environment.store().write(statistics)) {
      writeRows(writer, "h", in, in, h);
      writeRows(writer, "p", p.length / in, in, p);
      writer.commit();
    }
    if (state != null) {
      try (PartWriter writer = environment.store().write(state)) {
        ChainPass.write(writer, samples.count(), window, gathered);
        writer.commit();
      }
    }
  }

  /** Writes a matrix in tiles of whole rows. */
  static void writeRows(PartWriter writer, String name, int rows, int n, float[] values) {
    int tileRows = tileRows(n);
    for (int start = 0; start < rows; start += tileRows) {
      int count = Math.min(tileRows, rows - start);
      writer.addFloats(name, List.of((long) rows, (long) n), start, count, values, start * n);
    }
  }

  /** Rows of a tile of a matrix with rows of n. */
  static int tileRows(int n) {
    return Math.max(1, TILE_ELEMENTS / n);
  }

  /** Open parts by stage, closed together. */
  record OpenParts(Map<Stage, PartReader> readers) implements AutoCloseable {
    static OpenParts of(Map<Stage, PartKey> keys, io.shardpress.spark.store.PartStore store) {
      Map<Stage, PartReader> readers = new EnumMap<>(Stage.class);
      keys.forEach((stage, key) -> readers.put(stage, store.read(key)));
      return new OpenParts(readers);
    }

    @Override
    public void close() {
      readers.values().forEach(PartReader::close);
    }
  }
}
