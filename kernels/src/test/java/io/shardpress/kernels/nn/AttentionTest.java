package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Implementations;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.PanelKernel;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.BlockTraits.Activation;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class AttentionTest {
  private static final int DIM = 4;

  /** windows, tokens of a window, heads, key-value heads, sliding window, cap of scores. */
  @ParameterizedTest
  @CsvSource({
    "1,1,2,1,0,0",
    "3,1,2,2,0,0",
    "2,5,4,2,0,0",
    "1,64,2,1,0,0",
    "2,70,4,2,0,0",
    "1,130,3,1,0,0",
    "2,7,2,1,1,0",
    "2,70,2,1,3,0",
    "1,131,4,2,64,0",
    "1,131,4,4,65,0",
    "1,140,2,1,500,0",
    "2,5,4,2,0,2",
    "2,70,4,2,0,3",
    "1,131,4,2,64,2.5",
    "1,140,2,1,500,50"
  })
  void forwardAndGradient(
      int windows, int window, int heads, int kvHeads, int sliding, double cap) {
    BlockShape shape =
        new BlockShape(
            heads * DIM,
            1,
            heads,
            kvHeads,
            DIM,
            1e-5,
            new Rotation(new double[DIM / 2]),
            sliding,
            new BlockTraits(false, false, false, Activation.SILU, 2 * DIM, cap, 0, false),
            null);
    int rows = windows * window;
    Random random = new Random(window);
    float[] q = Arrays64.gaussian(random, rows * shape.queryWidth(), 1.5);
    float[] k = Arrays64.gaussian(random, rows * shape.keyWidth(), 1.5);
    float[] v = Arrays64.gaussian(random, rows * shape.keyWidth(), 1);
    float[] dout = Arrays64.gaussian(random, q.length, 1);
    double[] wideQ = Arrays64.of(q);
    double[] wideK = Arrays64.of(k);
    double[] wideV = Arrays64.of(v);
    double[] wanted = Oracle.attention(shape, rows, window, wideQ, wideK, wideV);
    DoubleSupplier loss =
        () -> Arrays64.dot(Oracle.attention(shape, rows, window, wideQ, wideK, wideV), dout);

    float[][] first = null;
    for (Matmul matmul : Implementations.all()) {
      // With vectors, and as processes without have it.
      for (PanelKernel kernel : Arrays.asList(PanelKernel.chosen(), null)) {
        Attention attention = new Attention(shape, matmul, kernel);
        float[][] found = run(attention, rows, window, q, k, v, dout, 1);
        String name = matmul.name() + (kernel == null ? " without panels " : " ");
        Difference.assertWithin(name + "out", found[0], wanted, 1e-5);
        if (window == 1 || sliding == 1) {
          // One key takes all attention whatever its score.
          assertThat(found[1]).usingComparatorWithPrecision(1e-5f).containsOnly(0);
          assertThat(found[2]).usingComparatorWithPrecision(1e-5f).containsOnly(0);
          Difference.assertWithin(name + "dv", found[3], sumOfHeads(shape, rows, dout), 1e-5);
        } else if (first == null) {
          first = found;
          int samples = rows > 100 ? 40 : 150;
          NumericGradient.check("q", loss, wideQ, found[1], samples, 1e-4);
          NumericGradient.check("k", loss, wideK, found[2], samples, 1e-4);
          NumericGradient.check("v", loss, wideV, found[3], samples, 1e-4);
        } else {
          Difference.assertWithin(name + "dq", found[1], first[1], 1e-4);
          Difference.assertWithin(name + "dk", found[2], first[2], 1e-4);
          Difference.assertWithin(name + "dv", found[3], first[3], 1e-4);
        }
        float[][] threaded = run(attention, rows, window, q, k, v, dout, 3);
        assertThat(Arrays.deepEquals(found, threaded)).as("%s 1 and 3 threads", name).isTrue();
      }
    }
  }

  /** What a value gets that passes unchanged to every query head that shares it. */
  private static double[] sumOfHeads(BlockShape shape, int rows, float[] dout) {
    double[] sum = new double[rows * shape.keyWidth()];
    int share = shape.heads() / shape.kvHeads();
    for (int i = 0; i < dout.length; i++) {
      int row = i / shape.queryWidth();
      int head = i / DIM % shape.heads() / share;
      sum[row * shape.keyWidth() + head * DIM + i % DIM] += dout[i];
    }
    return sum;
  }

  private static float[][] run(
      Attention attention,
      int rows,
      int window,
      float[] q,
      float[] k,
      float[] v,
      float[] dout,
      int threads) {
    float[] out = unset(q.length);
    float[] logSumExp = unset(q.length / DIM);
    float[] dq = unset(q.length);
    float[] dk = unset(k.length);
    float[] dv = unset(v.length);
    try (Workers workers = Workers.of(threads)) {
      // Twice, so that scratch memory is met that an earlier pass left full.
      for (int pass = 0; pass < 2; pass++) {
        attention.forward(rows, window, q, k, v, out, logSumExp, workers);
        attention.backward(rows, window, q, k, v, out, logSumExp, dout, dq, dk, dv, workers);
      }
    }
    return new float[][] {out, dq, dk, dv};
  }

  private static float[] unset(int n) {
    float[] values = new float[n];
    Arrays.fill(values, Float.NaN);
    return values;
  }
}
