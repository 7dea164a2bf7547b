package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;

/**
 * The gradients of a quantized linear's scales and latents in a backward pass, added up over
 * batches. With Ŵ = exp(d)·(c − z) and G = Σ_t g_t·x_tᵀ over tokens, ∂d = Σ G∘Ŵ over a group; where
 * a row is one group that is Σ_t g_ti·y_ti with y what the linear gives without its bias, so that
 * no product is needed where the pass has kept it. G comes in tiles of rows and is never held.
 *
 * @param logScales ∂loss/∂d [out × groups]
 * @param latents ∂loss/∂a of each candidate; empty where integers stay
 * @param bias ∂loss/∂b [out]; null where the linear has none
 */
public record LinearGradient(double[] logScales, double[] latents, double[] bias) {
  // Rows of G at a time; what a pass over the inputs costs is shared among them.
  private static final int ROWS = 256;

  /** Of nothing, for a linear. */
  public static LinearGradient none(QuantizedLinear linear, SparseLatents latents, boolean bias) {
    return new LinearGradient(
        new double[linear.steps().scales().length],
        new double[latents == null ? 0 : latents.places().length],
        bias ? new double[linear.out()] : null);
  }

  /** Adds another's, element by element. */
  public void merge(LinearGradient other) {
    add(other.logScales, logScales);
    add(other.latents, latents);
    if (bias != null) {
      add(other.bias, bias);
    }
  }

  private static void add(double[] from, double[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] += from[i];
    }
  }

  /**
   * Adds what a backward pass has found.
   *
   * @param part of the stage: this linear
   * @param linear as it was in the pass
   * @param candidates as they were in the pass; null where integers stay
   * @param b the linear's bias [out]; null where it has none
   */
  public void add(
      StageGradients stage,
      StageGradients.Part part,
      QuantizedLinear linear,
      SparseLatents candidates,
      float[] b,
      Matmul matmul,
      Workers workers) {
    add(stage, part, linear, null, candidates, b, matmul, workers);
  }

  /**
   * As above for an {@link io.shardpress.kernels.quant.IndexedLinear}.
   *
   * @param linear its codes, columns where the weight has them, and steps
   * @param groupIndex [in] the group of each column; null where groups are runs of columns
   */
  public void add(
      StageGradients stage,
      StageGradients.Part part,
      QuantizedLinear linear,
      int[] groupIndex,
      SparseLatents candidates,
      float[] b,
      Matmul matmul,
      Workers workers) {
    int out = linear.out();
    int in = linear.in();
    if (part.out() != out || stage.in() != in) {
      throw new IllegalArgumentException(
          part.role()
              + " is "
              + part.out()
              + "×"
              + stage.in()
              + " in the pass, the linear "
              + out
              + "×"
              + in);
    }
    float[] g = part.gradient();
    int tokens = stage.tokens();
    if (bias != null) {
      columnSums(tokens, out, g, null, null, bias, workers);
    }
    boolean rowIsGroup = linear.steps().groups() == 1;
    if (rowIsGroup && candidates == null && part.output() != null) {
      columnSums(tokens, out, g, part.output(), b, logScales, workers);
      return;
    }
    float[] tile = new float[Math.min(ROWS, out) * in];
    for (int first = 0; first < out; first += ROWS) {
      int n = Math.min(ROWS, out - first);
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          n,
          in,
          tokens,
          1,
          g,
          first,
          out,
          stage.inputs(),
          0,
          in,
          0,
          tile,
          0,
          in,
          workers);
      int top = first;
      int[] groups = groupIndex == null ? runs(linear) : groupIndex;
      RowTiles.forEach(n, workers, i -> row(top + i, tile, i * in, linear, groups, candidates));
    }
  }

  /** into[j] += Σ_t g_tj·(y_tj − b_j), or Σ_t g_tj without y; tokens in order. */
  private static void columnSums(
      int tokens, int out, float[] g, float[] y, float[] b, double[] into, Workers workers) {
    int columns = 64;
    workers.forEach(
        (out + columns - 1) / columns,
        piece -> {
          int end = Math.min(out, (piece + 1) * columns);
          for (int t = 0; t < tokens; t++) {
            for (int j = piece * columns; j < end; j++) {
              int at = t * out + j;
              double value = y == null ? 1 : b == null ? y[at] : (double) y[at] - b[j];
              into[j] += g[at] * value;
            }
          }
        });
  }

  /** The group of each column where groups are runs of them. */
  private static int[] runs(QuantizedLinear linear) {
    int[] groupIndex = new int[linear.in()];
    for (int j = 0; j < groupIndex.length; j++) {
      groupIndex[j] = j / linear.groupLength();
    }
    return groupIndex;
  }

  /** Takes a row of G, which is at {@code at}. */
  private void row(
      int row,
      float[] gradient,
      int at,
      QuantizedLinear linear,
      int[] groupIndex,
      SparseLatents candidates) {
    int in = linear.in();
    int first = row * linear.steps().groups();
    double[] sums = new double[linear.steps().groups()];
    for (int j = 0; j < in; j++) {
      int zero = linear.steps().zeros()[first + groupIndex[j]];
      int code = linear.codes()[row * in + j] & 0xFF;
      sums[groupIndex[j]] += (double) gradient[at + j] * (code - zero);
    }
    for (int group = 0; group < sums.length; group++) {
      logScales[first + group] += sums[group] * linear.steps().scales()[first + group];
    }
    if (candidates == null) {
      return;
    }
    int largest = Grid.of(linear.scheme()).largest();
    int end = candidates.firstOf(row + 1);
    for (int k = candidates.firstOf(row); k < end; k++) {
      int column = candidates.places()[k] - row * in;
      int place = first + groupIndex[column];
      int zero = linear.steps().zeros()[place];
      if (SparseLatents.passes(candidates.values()[k], zero, largest)) {
        latents[k] += (double) linear.steps().scales()[place] * gradient[at + column];
      }
    }
  }
}
