package io.shardpress.kernels.learn;

import io.shardpress.kernels.linalg.Cholesky;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives tiles of rows that were descended each by itself a view of one another. With S_t = Σ_{u≠t}
 * A_tu·E_u, tr(A·E·H·Eᵀ) has in E_t its minimum where tr(A_tt·E·H·Eᵀ) has it for the target T_t −
 * A_tt⁻¹·S_t; so a tile descends to T_t − β·A_tt⁻¹·S_t. Tile i has colour i mod C: colours go one
 * after the other (Gauss–Seidel), the tiles of one do not wait for each other, and what a colour
 * has done is kept only where the whole objective has fallen. All tiles at once diverge, as all
 * make up for the same errors.
 */
public final class TileSweep {
  private final ScaleFormat format;
  private final int sweeps;
  private final int colours;
  private final double beta;
  private final Matmul matmul;

  /**
   * @param sweeps over a tile's integers, at most
   * @param colours C; so many that 2 to 4 tiles have the same, with β 1, or 4 to 8 with β 0.5
   * @param beta how much of the others' errors a tile makes up for
   */
  public TileSweep(ScaleFormat format, int sweeps, int colours, double beta, Matmul matmul) {
    this.format = format;
    this.sweeps = sweeps;
    this.colours = colours;
    this.beta = beta;
    this.matmul = matmul;
  }

  /**
   * One pass over all colours.
   *
   * @param starts the stage's linears, not changed
   * @param targets T [out×in] of each
   * @param a A [R×R] over all rows, normalised
   * @param h H [in×in], damped
   * @return as {@link CoupledDescent#improve}, with A over all rows
   */
  public CoupledDescent.Result improve(
      List<QuantizedLinear> starts,
      List<float[]> targets,
      RowTiling tiling,
      float[] a,
      float[] h,
      Workers workers) {
    List<QuantizedLinear> best = starts;
    CoupledProblem problem = problem(best, targets, a, h, workers);
    double before = problem.restart();
    double least = before;
    for (int colour = 0; colour < colours; colour++) {
      List<QuantizedLinear> tried = new ArrayList<>();
      best.forEach(linear -> tried.add(TiledLinears.copy(linear)));
      float[] errors = errors(best, targets);
      for (int t = colour; t < tiling.tiles().length; t += colours) {
        List<QuantizedLinear> tile = descend(tiling, t, best, targets, errors, a, h, workers);
        TiledLinears.put(tiling, t, tile, tried);
      }
      CoupledProblem after = problem(tried, targets, a, h, workers);
      double objective = after.restart();
      if (objective < least) {
        least = objective;
        best = tried;
        problem = after;
      }
    }
    return new CoupledDescent.Result(problem.results(), before, least);
  }

  private CoupledProblem problem(
      List<QuantizedLinear> linears, List<float[]> targets, float[] a, float[] h, Workers workers) {
    return new CoupledProblem(new CoupledRows(linears, targets), a, h, format, matmul, workers);
  }

  /** E of all rows, [R×in]. */
  private static float[] errors(List<QuantizedLinear> linears, List<float[]> targets) {
    CoupledRows rows = new CoupledRows(linears, targets);
    float[] errors = new float[rows.rows * rows.in];
    for (int row = 0; row < rows.rows; row++) {
      rows.errors(row, errors, row * rows.in);
    }
    return errors;
  }

  private List<QuantizedLinear> descend(
      RowTiling tiling,
      int t,
      List<QuantizedLinear> linears,
      List<float[]> targets,
      float[] errors,
      float[] a,
      float[] h,
      Workers workers) {
    int[] rows = tiling.tiles()[t];
    int n = rows.length;
    int all = tiling.rows();
    int in = linears.get(0).in();
    float[] own = new float[n * n];
    float[] others = new float[n * all];
    for (int i = 0; i < n; i++) {
      System.arraycopy(a, rows[i] * all, others, i * all, all);
      for (int k = 0; k < n; k++) {
        own[i * n + k] = a[rows[i] * all + rows[k]];
        others[i * all + rows[k]] = 0;
      }
    }
    List<float[]> shifted =
        shifted(
            TiledLinears.take(tiling, t, targets, in),
            product(others, errors, n, all, in, workers),
            own,
            in,
            beta,
            matmul,
            workers);
    CoupledDescent descent = new CoupledDescent(format, 1, sweeps, matmul);
    return descent
        .improve(TiledLinears.take(tiling, t, linears), shifted, own, h, workers)
        .linears()
        .stream()
        .map(Gptq.Result::linear)
        .toList();
  }

  /** Sᵀ [in×n] = Eᵀ·A_t,othersᵀ. */
  private float[] product(float[] others, float[] errors, int n, int all, int in, Workers workers) {
    float[] s = new float[in * n];
    matmul.multiply(
        Op.TRANSPOSED,
        Op.TRANSPOSED,
        in,
        n,
        all,
        1,
        errors,
        0,
        in,
        others,
        0,
        all,
        0,
        s,
        0,
        n,
        workers);
    return s;
  }

  /**
   * T_t − β·A_tt⁻¹·S_t, for a task that has a tile alone.
   *
   * @param targets the tile's rows of every linear's target, [rows×in]
   * @param others S_tᵀ [in×n], overwritten
   * @param own A_tt [n×n], positive definite by its damping
   */
  public static List<float[]> shifted(
      List<float[]> targets,
      float[] others,
      float[] own,
      int in,
      double beta,
      Matmul matmul,
      Workers workers) {
    int n = others.length / in;
    float[] l = own.clone();
    Cholesky.lower(matmul, l, n, workers);
    Cholesky.solveRows(matmul, l, n, others, in, workers);
    List<float[]> shifted = new ArrayList<>();
    int first = 0;
    for (float[] target : targets) {
      float[] its = target.clone();
      int rows = its.length / in;
      for (int i = 0; i < rows * in; i++) {
        its[i] -= (float) (beta * others[i % in * n + first + i / in]);
      }
      shifted.add(its);
      first += rows;
    }
    return shifted;
  }
}
