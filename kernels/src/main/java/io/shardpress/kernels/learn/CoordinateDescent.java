package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Lowers a row's error e·H·eᵀ, e = ŵ − w*, from where GPTQ ended, which goes over the columns only
 * once and never back. In turns, every scale becomes the best for its integers, s ← s − q·r/(qHqᵀ)
 * with r = e·H, and every integer in its turn the best for all others, ŵ_j ← the value nearest to
 * ŵ_j − r_j/H_jj (cyclic coordinate descent: QuantEase, arXiv 2309.01885). No such step raises the
 * error. Zero points stay.
 *
 * <p>As in {@link Gptq}, columns go in blocks, whose changes reach r in the columns outside of them
 * in one product, and tiles of rows lie transposed.
 */
public final class CoordinateDescent {
  private static final int BLOCK = 128;
  private static final int ROW_TILE = DescentTile.ROWS;

  private final ScaleFormat format;
  private final int rounds;
  private final int sweeps;
  private final Matmul matmul;
  private final ConcurrentLinkedQueue<DescentTile> idleTiles = new ConcurrentLinkedQueue<>();

  /**
   * @param format of the scales
   * @param rounds turns of scales and then integers
   * @param sweeps over all integers in a round, at most
   */
  public CoordinateDescent(ScaleFormat format, int rounds, int sweeps, Matmul matmul) {
    this.format = format;
    this.rounds = rounds;
    this.sweeps = sweeps;
    this.matmul = matmul;
  }

  /**
   * A linear with no row worse than in {@code start}. Its {@code compensated} weights are ŵ_j −
   * r_j/H_jj, what an integer would be if all others stayed and it needed not be one; where a row
   * could not be bettered, all of it is as in {@code start}.
   *
   * @param target w* [out×in]
   * @param start not changed
   * @param h H [in×in], symmetric, its diagonal above 0
   */
  public Gptq.Result improve(Gptq.Result start, float[] target, float[] h, Workers workers) {
    QuantizedLinear first = start.linear();
    Steps before = first.steps();
    Steps steps =
        new Steps(before.out(), before.groups(), before.scales().clone(), before.zeros().clone());
    QuantizedLinear linear =
        new QuantizedLinear(first.out(), first.in(), first.scheme(), first.codes().clone(), steps);
    Problem problem = new Problem(linear, target, h, new float[target.length], workers);
    problem.gradients();
    double[] startError = problem.errors();
    for (int round = 0; round < rounds; round++) {
      problem.refitScales();
      problem.descend();
    }
    problem.gradients();
    double[] error = problem.errors();
    float[] compensated = problem.minima();
    for (int row = 0; row < linear.out(); row++) {
      // The other way round, NaN would be kept.
      if (!(error[row] < startError[row])) {
        copy(first.codes(), linear.codes(), row, linear.in());
        copy(before.scales(), steps.scales(), row, steps.groups());
        copy(start.compensated(), compensated, row, linear.in());
      }
    }
    return new Gptq.Result(linear, compensated);
  }

  private static void copy(Object from, Object to, int row, int length) {
    System.arraycopy(from, row * length, to, row * length, length);
  }

  /** What is descended: {@code linear} changes, and r = (Ŵ − W*)·H with it. */
  private final class Problem {
    private final QuantizedLinear linear;
    private final Steps steps;
    private final int out;
    private final int in;
    private final int length;
    private final float[] target;
    private final float[] h;
    private final float[] r;
    private final Workers workers;
    private final int tiles;

    Problem(QuantizedLinear linear, float[] target, float[] h, float[] r, Workers workers) {
      this.linear = linear;
      this.steps = linear.steps();
      this.out = linear.out();
      this.in = linear.in();
      this.length = linear.groupLength();
      this.target = target;
      this.h = h;
      this.r = r;
      this.workers = workers;
      this.tiles = (out + ROW_TILE - 1) / ROW_TILE;
    }

    /** r anew, without what rounding has left in it. */
    void gradients() {
      float[] e = linear.dequantize();
      for (int i = 0; i < e.length; i++) {
        e[i] -= target[i];
      }
      product(e, 0, in, r);
    }

    /** to ← a[:, from … from+inner)·H[from … from+inner, :]. */
    private void product(float[] a, int from, int inner, float[] to) {
      matmul.multiply(
          Op.AS_IS, Op.AS_IS, out, in, inner, 1, a, from, in, h, from * in, in, 0, to, 0, in,
          workers);
    }

    /** e·r by row. */
    double[] errors() {
      double[] errors = new double[out];
      float[] w = linear.dequantize();
      for (int row = 0; row < out; row++) {
        for (int i = row * in; i < (row + 1) * in; i++) {
          errors[row] += ((double) w[i] - target[i]) * r[i];
        }
      }
      return errors;
    }

    /** The best scales for the integers, group after group. */
    void refitScales() {
      float[] q = new float[out * in];
      for (int i = 0; i < q.length; i++) {
        q[i] = (linear.codes()[i] & 0xFF) - steps.zeros()[i / length];
      }
      float[] qh = new float[out * in];
      for (int g = 0; g < steps.groups(); g++) {
        int from = g * length;
        product(q, from, length, qh);
        int group = g;
        RowTiles.forEach(
            out,
            workers,
            row -> {
              int place = row * steps.groups() + group;
              float change = refit(q, qh, row * in + from, place);
              for (int i = row * in; i < (row + 1) * in; i++) {
                r[i] += change * qh[i];
              }
            });
      }
    }

    private float refit(float[] q, float[] qh, int from, int place) {
      double slope = 0;
      double curvature = 0;
      for (int i = from; i < from + length; i++) {
        slope += (double) q[i] * r[i];
        curvature += (double) q[i] * qh[i];
      }
      float scale = steps.scales()[place];
      double wanted = scale - slope / curvature;
      if (!(curvature > 0 && wanted > 0)) {
        return 0;
      }
      float stored = format.usable((float) wanted);
      float change = stored - scale;
      // Rounding to the stored dtype can take more than there is to be won.
      if (change * (change * curvature + 2 * slope) >= 0) {
        return 0;
      }
      steps.scales()[place] = stored;
      return change;
    }

    /** Sweeps over the integers. Tiles in which a sweep changed none are done. */
    void descend() {
      boolean[] moving = new boolean[tiles];
      Arrays.fill(moving, true);
      float[] changes = new float[BLOCK * tiles * ROW_TILE];
      for (int sweep = 0; sweep < sweeps; sweep++) {
        boolean[] moved = new boolean[tiles];
        for (int begin = 0; begin < in; begin += BLOCK) {
          int from = begin;
          int to = Math.min(in, begin + BLOCK);
          workers.forEach(
              tiles,
              tile -> {
                int at = tile * ROW_TILE;
                if (moving[tile]) {
                  moved[tile] |= descend(at, from, to, changes);
                } else {
                  for (int i = 0; i < to - from; i++) {
                    int place = i * tiles * ROW_TILE + at;
                    Arrays.fill(changes, place, place + ROW_TILE, 0);
                  }
                }
              });
          carry(from, to, 0, from, changes);
          carry(from, to, to, in, changes);
        }
        System.arraycopy(moved, 0, moving, 0, tiles);
      }
    }

    private boolean descend(int first, int begin, int stop, float[] changes) {
      int end = Math.min(out, first + ROW_TILE);
      int largest = Grid.of(linear.scheme()).largest();
      DescentTile tile = idleTiles.poll();
      if (tile == null) {
        tile = new DescentTile(BLOCK);
      }
      tile.load(r, linear.codes(), in, first, end, begin, stop);
      boolean moved = false;
      for (int i = begin; i < stop; i++) {
        if (i == begin || i % length == 0) {
          tile.scales(steps, first, end, i / length);
        }
        int at = (i - begin) * tiles * ROW_TILE + first;
        moved |= tile.descend(i, stop, h, in, largest, changes, at);
      }
      tile.store(r, linear.codes(), in, first, end, begin, stop);
      idleTiles.add(tile);
      return moved;
    }

    /** r of columns [left, right), after the changes in columns [begin, stop). */
    private void carry(int begin, int stop, int left, int right, float[] changes) {
      if (left < right) {
        matmul.multiply(
            Op.TRANSPOSED,
            Op.AS_IS,
            out,
            right - left,
            stop - begin,
            -1,
            changes,
            0,
            tiles * ROW_TILE,
            h,
            begin * in + left,
            in,
            1,
            r,
            left,
            in,
            workers);
      }
    }

    float[] minima() {
      float[] minima = linear.dequantize();
      Grid grid = Grid.of(linear.scheme());
      for (int i = 0; i < minima.length; i++) {
        int j = i % in;
        float scale = steps.scales()[i / length];
        int zero = steps.zeros()[i / length];
        float minimum = minima[i] - r[i] / h[j * in + j];
        // Not so where the sweeps ended before their time.
        if (grid.code(minimum, scale, zero) == (linear.codes()[i] & 0xFF)) {
          minima[i] = minimum;
        }
      }
      return minima;
    }
  }
}
