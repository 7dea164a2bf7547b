package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.LinearRole;
import java.util.EnumMap;
import java.util.Map;

/** A decoder block in f64, whose weights and input a test may move. */
public final class OracleBlock {
  private final BlockShape shape;
  private final int window;
  private final int rows;
  private final BlockWeights weights;
  public final Map<LinearRole, double[]> linears = new EnumMap<>(LinearRole.class);
  final double[] x;

  /** What is done to activations on the way; nothing unless a test says so. */
  Rounding rounding = new Rounding() {};

  /** Changes activations before they are read. */
  interface Rounding {
    /** What a stage's linears read, [rows×width]. */
    default double[] input(Stage stage, double[] values) {
      return values;
    }

    /** Keys and values before the rotation, and after it, [rows×keyWidth]. */
    default double[] cached(boolean keys, boolean rotated, double[] values) {
      return values;
    }
  }

  public OracleBlock(BlockShape shape, int window, int rows, BlockWeights weights, float[] x) {
    this.shape = shape;
    this.window = window;
    this.rows = rows;
    this.weights = weights;
    this.x = Arrays64.of(x);
    weights.linears().forEach((role, w) -> linears.put(role, Arrays64.of(w)));
  }

  public double[] output() {
    double[] normed = rounding.input(Stage.QKV, norm(x, weights.inputNorm()));
    double[] q = linear(LinearRole.Q, normed);
    double[] k = linear(LinearRole.K, normed);
    if (weights.queryNorm() != null) {
      q = headNorm(q, shape.heads(), weights.queryNorm());
      k = headNorm(k, shape.kvHeads(), weights.keyNorm());
    }
    double[] frequencies = shape.inverseFrequencies();
    q = Oracle.rope(rows, window, shape.heads(), q, frequencies);
    k = rounding.cached(true, false, k);
    k = Oracle.rope(rows, window, shape.kvHeads(), k, frequencies);
    k = rounding.cached(true, true, k);
    double[] v = rounding.cached(false, false, linear(LinearRole.V, normed));
    v = rounding.cached(false, true, v);
    double[] attention = Oracle.attention(shape, rows, window, q, k, v);
    double[] middle = sum(x, linear(LinearRole.O, rounding.input(Stage.O, attention)));
    double[] second = rounding.input(Stage.GATE_UP, norm(middle, weights.postNorm()));
    double[] activated =
        Oracle.swiGlu(linear(LinearRole.GATE, second), linear(LinearRole.UP, second));
    return sum(middle, linear(LinearRole.DOWN, rounding.input(Stage.DOWN, activated)));
  }

  private double[] linear(LinearRole role, double[] input) {
    float[] bias = weights.biases().get(role);
    return Oracle.linear(
        rows,
        shape.in(role),
        shape.out(role),
        input,
        linears.get(role),
        bias == null ? null : Arrays64.of(bias));
  }

  private double[] norm(double[] input, float[] w) {
    return Oracle.rmsNorm(rows, shape.hidden(), input, Arrays64.of(w), shape.epsilon());
  }

  private double[] headNorm(double[] input, int heads, float[] w) {
    return Oracle.rmsNorm(rows * heads, shape.headDim(), input, Arrays64.of(w), shape.epsilon());
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }
}
