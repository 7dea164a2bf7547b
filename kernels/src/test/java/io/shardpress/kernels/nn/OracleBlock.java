package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.TreeMap;

/** A decoder block in f64, whose weights and input a test may move. */
public final class OracleBlock {
  private final BlockShape shape;
  private final int window;
  private final int rows;
  private final BlockWeights weights;
  public final Map<LinearRole, double[]> linears = new TreeMap<>();
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
    return output(x);
  }

  /** What the block makes of another input, [rows×hidden]. */
  public double[] output(double[] x) {
    double[] normed = rounding.input(Stage.QKV, norm(x, weights.inputNorm()));
    boolean fused = shape.traits().fused();
    double[] qkv = fused ? linear(LinearRole.QKV, normed) : null;
    int qWidth = shape.queryWidth();
    int kWidth = shape.keyWidth();
    double[] q = fused ? columns(qkv, 0, qWidth) : linear(LinearRole.Q, normed);
    double[] k = fused ? columns(qkv, qWidth, kWidth) : linear(LinearRole.K, normed);
    if (weights.queryNorm() != null) {
      q = headNorm(q, shape.heads(), weights.queryNorm());
      k = headNorm(k, shape.kvHeads(), weights.keyNorm());
    }
    Rotation rotation = (Rotation) shape.rotation();
    q = Oracle.rope(rows, window, shape.heads(), shape.headDim(), q, rotation);
    k = rounding.cached(true, false, k);
    k = Oracle.rope(rows, window, shape.kvHeads(), shape.headDim(), k, rotation);
    k = rounding.cached(true, true, k);
    double[] v = fused ? columns(qkv, qWidth + kWidth, kWidth) : linear(LinearRole.V, normed);
    v = rounding.cached(false, false, v);
    v = rounding.cached(false, true, v);
    double[] attention = Oracle.attention(shape, rows, window, q, k, v);
    double[] out = linear(LinearRole.O, rounding.input(Stage.O, attention));
    BlockWeights.OutputNorms norms = weights.outputNorms();
    double[] middle = sum(x, norms == null ? out : norm(out, norms.attention()));
    double[] second = rounding.input(Stage.GATE_UP, norm(middle, weights.postNorm()));
    double[] both = fused ? linear(LinearRole.GATE_UP, second) : null;
    double[] gate = fused ? columns(both, 0, shape.ffn()) : linear(LinearRole.GATE, second);
    double[] up = fused ? columns(both, shape.ffn(), shape.ffn()) : linear(LinearRole.UP, second);
    double[] activated = Oracle.gated(shape.traits().activation(), gate, up);
    double[] down = linear(LinearRole.DOWN, rounding.input(Stage.DOWN, activated));
    return sum(middle, norms == null ? down : norm(down, norms.feedForward()));
  }

  /** Columns of all, [rows × …]. */
  private double[] columns(double[] all, int first, int width) {
    int stride = all.length / rows;
    double[] some = new double[rows * width];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(all, row * stride + first, some, row * width, width);
    }
    return some;
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
