package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@link CoupledDescent} works on: rows that change, and M = E·H with them. */
final class CoupledProblem {
  private static final int ROWS = CoupledTile.ROWS;
  private static final int COLUMNS = CoupledTile.COLUMNS;
  // How far a latent may be from its code: it must round to it.
  private static final float LARGEST_SHIFT = 0.45f;

  private final CoupledRows of;
  private final int rows;
  private final int in;
  private final int tiles;
  private final float[] a;
  private final float[] h;
  private final ScaleFormat format;
  private final Matmul matmul;
  private final Workers workers;
  private final CoupledTile tile = new CoupledTile();
  private final float[] m;
  // Of a group: its integers, those times H, and what rows of a tile see of one another.
  private float[] v = {};
  private final float[] vh;
  private final float[] seen;
  private final float[] block;
  private final float[] changes;

  CoupledProblem(
      CoupledRows of, float[] a, float[] h, ScaleFormat format, Matmul matmul, Workers workers) {
    this.of = of;
    this.a = a;
    this.h = h;
    this.format = format;
    this.matmul = matmul;
    this.workers = workers;
    rows = of.rows;
    in = of.in;
    checkSquare("A", a, rows);
    checkSquare("H", h, in);
    tiles = (rows + ROWS - 1) / ROWS;
    m = new float[rows * in];
    vh = new float[rows * in];
    seen = new float[tiles * ROWS * ROWS];
    block = new float[ROWS * in];
    changes = new float[COLUMNS * tiles * ROWS];
  }

  private static void checkSquare(String name, float[] square, int n) {
    if (square.length < (long) n * n) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %d×%d and needs %d elements, its array has %d",
              name,
              n,
              n,
              (long) n * n,
              square.length));
    }
  }

  /** M anew, without what rounding has left in it; tr(A·E·H·Eᵀ). */
  double restart() {
    float[] e = vh;
    RowTiles.forEach(rows, workers, row -> of.errors(row, e, row * in));
    multiply(rows, in, in, e, 0, h, 0, 0, m, 0);
    double sum = 0;
    for (int first = 0; first < rows; first += ROWS) {
      int n = Math.min(ROWS, rows - first);
      slopes(first, n, 0, in);
      for (int i = 0; i < n * in; i++) {
        sum += (double) block[i] * e[first * in + i];
      }
    }
    return sum;
  }

  /** block [n × (to − from)] ← A[first … first+n, :]·M[:, from … to). */
  private void slopes(int first, int n, int from, int to) {
    int width = to - from;
    matmul.multiply(
        Op.AS_IS,
        Op.AS_IS,
        n,
        width,
        rows,
        1,
        a,
        first * rows,
        rows,
        m,
        from,
        in,
        0,
        block,
        0,
        width,
        workers);
  }

  /** c [m × n] ← x [m × k]·y[… × in] + kept·c, with rows of in elements but for x's of k. */
  private void multiply(
      int rows,
      int n,
      int k,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      float kept,
      float[] c,
      int cAt) {
    matmul.multiply(
        Op.AS_IS, Op.AS_IS, rows, n, k, 1, x, xAt, k, y, yAt, in, kept, c, cAt, in, workers);
  }

  /** The best scales for the integers, group after group. */
  void refitScales() {
    for (int length : of.lengths()) {
      for (int from = 0; from < in; from += length) {
        refitGroup(from, length);
      }
    }
  }

  /** The scales of the group at column {@code from} in the rows that have groups of a length. */
  private void refitGroup(int from, int length) {
    if (v.length < rows * length) {
      v = new float[rows * length];
    }
    RowTiles.forEach(rows, workers, row -> integers(row, from, length));
    multiply(rows, in, length, v, 0, h, from * in, 0, vh, 0);
    for (int first = 0; first < rows; first += ROWS) {
      int n = Math.min(ROWS, rows - first);
      // v·H_gg·vᵀ of the tile's rows.
      matmul.multiply(
          Op.AS_IS,
          Op.TRANSPOSED,
          n,
          n,
          length,
          1,
          vh,
          first * in + from,
          in,
          v,
          first * length,
          length,
          0,
          seen,
          first * ROWS,
          ROWS,
          workers);
    }
    for (int pass = 0; pass < 2; pass++) {
      for (int first = 0; first < rows; first += ROWS) {
        int n = Math.min(ROWS, rows - first);
        slopes(first, n, from, from + length);
        float[] moved = refitTile(first, n, from, length);
        int top = first;
        RowTiles.forEach(
            n,
            workers,
            i -> {
              if (moved[i] != 0) {
                int at = (top + i) * in;
                Loops.chosen().addScaled(moved[i], vh, at, m, at, in);
              }
            });
      }
    }
  }

  /** c − z of a row's group, 0 where the row has groups of another length. */
  private void integers(int row, int from, int length) {
    boolean has = of.length[row] == length;
    int zero = of.zero(row, from);
    for (int j = 0; j < length; j++) {
      v[row * length + j] = has ? (of.codes[row * in + from + j] & 0xFF) - zero : 0;
    }
  }

  /** Moves the scales of rows [first, first + n) in order; by how much each. */
  private float[] refitTile(int first, int n, int from, int length) {
    double[] slope = new double[n];
    RowTiles.forEach(
        n,
        workers,
        i -> {
          double sum = 0;
          for (int j = 0; j < length; j++) {
            sum += (double) v[(first + i) * length + j] * block[i * length + j];
          }
          slope[i] = sum;
        });
    float[] moved = new float[n];
    for (int i = 0; i < n; i++) {
      int row = first + i;
      double num = slope[i];
      for (int k = 0; k < i; k++) {
        num += (double) a[row * rows + first + k] * seen[(first + i) * ROWS + k] * moved[k];
      }
      double den = (double) a[row * rows + row] * seen[(first + i) * ROWS + i];
      float scale = of.scale(row, from);
      if (of.length[row] != length || !(den > 0)) {
        continue;
      }
      float stored = format.usable((float) (scale - num / den));
      float change = stored - scale;
      // Rounding to the stored dtype can take more than there is to be won.
      if (stored > 0.5f * scale && stored < 2 * scale && change * (change * den + 2 * num) < 0) {
        of.scale(row, from, stored);
        moved[i] = change;
      }
    }
    return moved;
  }

  /** One sweep over the integers; whether any has changed. */
  boolean sweep() {
    boolean any = false;
    int stride = tiles * ROWS;
    for (int begin = 0; begin < in; begin += COLUMNS) {
      int stop = Math.min(in, begin + COLUMNS);
      int width = stop - begin;
      boolean moved = false;
      for (int first = 0; first < rows; first += ROWS) {
        int end = Math.min(rows, first + ROWS);
        // (A·M)ᵀ = Mᵀ·A, so that the slopes come transposed.
        matmul.multiply(
            Op.TRANSPOSED,
            Op.AS_IS,
            width,
            end - first,
            rows,
            1,
            m,
            begin,
            in,
            a,
            first,
            rows,
            0,
            tile.slopes,
            0,
            ROWS,
            workers);
        tile.load(of, a, first, end, begin, stop);
        if (tile.descend(h, changes, first, stride) > 0) {
          tile.store();
          carry(first, end, begin, stop, begin, stop);
          moved = true;
        }
      }
      if (moved) {
        carry(0, rows, begin, stop, 0, begin);
        carry(0, rows, begin, stop, stop, in);
        any = true;
      }
    }
    return any;
  }

  /** M of rows [first, end), columns [left, right), after changes in columns [begin, stop). */
  private void carry(int first, int end, int begin, int stop, int left, int right) {
    if (left < right) {
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          end - first,
          right - left,
          stop - begin,
          -1,
          changes,
          first,
          tiles * ROWS,
          h,
          begin * in + left,
          in,
          1,
          m,
          first * in + left,
          in,
          workers);
    }
  }

  /** What the rows have come to, after {@link #restart}. */
  List<Gptq.Result> results() {
    List<Gptq.Result> results = new ArrayList<>();
    int first = 0;
    for (QuantizedLinear linear : of.linears()) {
      float[] latents = new float[linear.out() * in];
      int top = first;
      RowTiles.forEach(linear.out(), workers, row -> latents(top + row, latents, row * in));
      results.add(new Gptq.Result(linear, latents));
      first += linear.out();
    }
    return results;
  }

  private void latents(int row, float[] into, int at) {
    for (int j = 0; j < in; j++) {
      float scale = of.scale(row, j);
      float shift = m[row * in + j] / (h[j * in + j] * scale);
      // NaN, where an input has no variance at all, is no shift.
      float bounded =
          Float.isNaN(shift) ? 0 : Math.max(-LARGEST_SHIFT, Math.min(shift, LARGEST_SHIFT));
      int code = of.codes[row * in + j] & 0xFF;
      into[at + j] = scale * (code - of.zero(row, j) - bounded);
    }
  }
}
