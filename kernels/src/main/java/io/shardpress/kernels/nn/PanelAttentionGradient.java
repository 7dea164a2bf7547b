package io.shardpress.kernels.nn;

import static io.shardpress.kernels.nn.PanelAttention.roundUp;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.matmul.PanelKernel;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The backward pass of {@link Attention} for one window and key-value head on the micro-kernel's
 * own panels. As in {@link PanelAttention} the probabilities P and their gradients stand
 * transposed, keys by a panel's width of queries: so they are, as they lie, the second factor of
 * dQᵀ = Kᵀ·dSᵀ. For dV += Pᵀ·dO and dK += dSᵀ·Q they are packed once more, a tile of queries at a
 * time, which every panel's width divides.
 */
final class PanelAttentionGradient {
  private static final int TILE = 32;

  private final BlockShape shape;
  private final PanelKernel kernel;
  private final float scale;
  private final float cap;
  private final Queue<Memory> free = new ConcurrentLinkedQueue<>();

  PanelAttentionGradient(BlockShape shape, PanelKernel kernel, float scale) {
    this.shape = shape;
    this.kernel = kernel;
    this.scale = scale;
    this.cap = (float) shape.traits().scoreCap();
  }

  /**
   * Arrays as for {@link Attention#backward}; the parts of dq, dk and dv that belong to the window
   * and the head's queries, keys and values are overwritten.
   *
   * @param start the window's first row
   * @param rows of the whole batch
   */
  void backward(
      int start,
      int window,
      int kvHead,
      int rows,
      float[] q,
      float[] k,
      float[] v,
      float[] out,
      float[] logSumExp,
      float[] dout,
      float[] dq,
      float[] dk,
      float[] dv) {
    Piece piece = new Piece(start, window, rows, q, out, logSumExp, dout, dq);
    piece.packKeys(k, v, kvHead);
    int share = shape.heads() / shape.kvHeads();
    for (int head = kvHead * share; head < (kvHead + 1) * share; head++) {
      for (int first = 0; first < window; first += TILE) {
        piece.tile(head, first);
      }
    }
    piece.store(piece.memory.dKeys, dk, kvHead);
    piece.store(piece.memory.dValues, dv, kvHead);
    free.add(piece.memory);
  }

  /** What a piece of work writes before it has its results; the next one finds it as it was. */
  private static final class Memory {
    final int window;
    // K and V, key by key and, for dQ, K down its columns.
    final float[] keys;
    final float[] values;
    final float[] keyColumns;
    // Pᵀ and dSᵀ of a tile, a panel of queries behind the other.
    final float[] p;
    final float[] ds;
    // [keys × padded], summed over heads and tiles.
    final float[] dKeys;
    final float[] dValues;
    final float[] queryPanel;
    final float[] doutPanel;
    final float[] dqPanel;
    final float[] queryTile;
    final float[] doutTile;
    final float[] factor;
    final float[] starts;
    // A panel's scores where they are capped.
    final float[] capped;

    Memory(int window, int d, int height, int width, boolean caps) {
      this.window = window;
      int allKeys = roundUp(window, height);
      int padded = roundUp(d, width);
      keys = new float[allKeys * d];
      values = new float[allKeys * d];
      keyColumns = new float[roundUp(d, height) * window];
      p = new float[allKeys * TILE];
      ds = new float[allKeys * TILE];
      dKeys = new float[allKeys * padded];
      dValues = new float[allKeys * padded];
      queryPanel = new float[d * width];
      doutPanel = new float[d * width];
      dqPanel = new float[roundUp(d, height) * width];
      queryTile = new float[padded * TILE];
      doutTile = new float[padded * TILE];
      factor = new float[height * TILE];
      starts = new float[2 * width];
      capped = new float[caps ? allKeys * width : 0];
    }
  }

  private Memory memory(int window) {
    Memory memory = free.poll();
    return memory == null || memory.window != window
        ? new Memory(window, shape.headDim(), kernel.rows(), kernel.columns(), cap != 0)
        : memory;
  }

  /** One window and head: where its tiles read and write. */
  private final class Piece {
    private final int d = shape.headDim();
    private final int height = kernel.rows();
    private final int width = kernel.columns();
    private final int padded = roundUp(d, width);
    private final int start;
    private final int window;
    private final int allKeys;
    private final int rows;
    private final float[] q;
    private final float[] out;
    private final float[] logSumExp;
    private final float[] dout;
    private final float[] dq;
    final Memory memory;

    Piece(
        int start,
        int window,
        int rows,
        float[] q,
        float[] out,
        float[] logSumExp,
        float[] dout,
        float[] dq) {
      this.start = start;
      this.window = window;
      this.rows = rows;
      this.q = q;
      this.out = out;
      this.logSumExp = logSumExp;
      this.dout = dout;
      this.dq = dq;
      allKeys = roundUp(window, height);
      memory = memory(window);
      Arrays.fill(memory.dKeys, 0);
      Arrays.fill(memory.dValues, 0);
    }

    void packKeys(float[] k, float[] v, int kvHead) {
      int stride = shape.keyWidth();
      int at = start * stride + kvHead * d;
      for (int first = 0; first < window; first += height) {
        int count = Math.min(height, window - first);
        int from = at + first * stride;
        PanelKernel.packAlong(k, from, stride, count, d, height, memory.keys, first * d);
        PanelKernel.packAlong(v, from, stride, count, d, height, memory.values, first * d);
      }
      for (int first = 0; first < d; first += height) {
        int count = Math.min(height, d - first);
        int to = first * window;
        PanelKernel.packAcross(k, at + first, stride, count, window, height, memory.keyColumns, to);
      }
    }

    void tile(int head, int first) {
      int queries = Math.min(TILE, window - first);
      int sliding = shape.slidingWindow();
      int begin = sliding == 0 ? 0 : Math.max(0, first - sliding + 1) / height * height;
      int seen = first + queries - begin;
      int stride = shape.queryWidth();
      int query = (start + first) * stride + head * d;
      for (int panel = 0; panel < queries; panel += width) {
        gradients(head, first + panel, begin, seen, panel / width);
      }
      packTile(q, query, queries, memory.queryTile);
      packTile(dout, query, queries, memory.doutTile);
      for (int key = 0; key < seen; key += height) {
        int count = Math.min(height, seen - key);
        int to = (begin + key) * padded;
        addProduct(memory.p, key, count, memory.doutTile, queries, memory.dValues, to);
        addProduct(memory.ds, key, count, memory.queryTile, queries, memory.dKeys, to);
      }
    }

    private void packTile(float[] from, int at, int queries, float[] to) {
      int stride = shape.queryWidth();
      for (int column = 0; column < d; column += width) {
        int count = Math.min(width, d - column);
        PanelKernel.packAcross(
            from, at + column, stride, count, queries, width, to, column * queries);
      }
    }

    /** into [count × padded] += the tile's rows of Pᵀ or dSᵀ from {@code key} on, by queries. */
    private void addProduct(
        float[] scores, int key, int count, float[] tile, int queries, float[] into, int to) {
      for (int panel = 0; panel < queries; panel += width) {
        int from = panel * allKeys + key * width;
        int depth = Math.min(width, queries - panel);
        PanelKernel.packAlong(
            scores, from, width, count, depth, height, memory.factor, panel * height);
      }
      for (int column = 0; column < padded; column += width) {
        kernel.run(queries, memory.factor, 0, tile, column * queries, into, to + column, padded);
      }
    }

    /** Pᵀ and dSᵀ of one panel of queries, and its rows of dQ. */
    private void gradients(int head, int first, int begin, int seen, int panel) {
      int queries = Math.min(width, window - first);
      int stride = shape.queryWidth();
      int query = (start + first) * stride + head * d;
      int at = panel * width * allKeys;
      int length = seen * width;
      int sliding = shape.slidingWindow();
      Arrays.fill(memory.starts, 0, 2 * width, 0);
      for (int i = 0; i < queries; i++) {
        int row = query + i * stride;
        memory.starts[i] = -logSumExp[head * rows + start + first + i];
        memory.starts[width + i] = -Loops.chosen().dot(dout, row, out, row, d);
      }

      PanelKernel.packAlong(q, query, stride, queries, d, width, memory.queryPanel, 0);
      Loops.chosen().scale(scale, memory.queryPanel, 0, d * width);
      if (cap == 0) {
        scores(memory.keys, memory.queryPanel, begin, seen, 0, memory.p, at);
      } else {
        cappedScores(begin, seen, at);
      }
      PanelAttention.mask(memory.p, at, width, first, begin, seen, sliding);
      Loops.chosen().expShifted(memory.p, at, at + length, 0);

      PanelKernel.packAlong(dout, query, stride, queries, d, width, memory.doutPanel, 0);
      scores(memory.values, memory.doutPanel, begin, seen, width, memory.ds, at);
      Loops.chosen().softmaxGradient(memory.p, memory.ds, at, length, 0, scale);
      if (cap != 0) {
        TanhLoops.chosen().softCapGradient(memory.capped, 0, memory.ds, at, length, cap);
      }

      Arrays.fill(memory.dqPanel, 0, roundUp(d, height) * width, 0);
      for (int line = 0; line < d; line += height) {
        int from = line * window + begin * height;
        kernel.run(
            seen, memory.keyColumns, from, memory.ds, at, memory.dqPanel, line * width, width);
      }
      for (int i = 0; i < queries; i++) {
        for (int j = 0; j < d; j++) {
          dq[query + i * stride + j] = memory.dqPanel[j * width + i];
        }
      }
    }

    /** Capped scores of a panel, which are kept, each column then less its log-sum-exp. */
    private void cappedScores(int begin, int seen, int at) {
      int length = seen * width;
      Arrays.fill(memory.p, at, at + roundUp(seen, height) * width, 0);
      for (int key = 0; key < seen; key += height) {
        int to = at + key * width;
        kernel.run(d, memory.keys, (begin + key) * d, memory.queryPanel, 0, memory.p, to, width);
      }
      TanhLoops.chosen().softCap(memory.p, at, at + length, cap);
      System.arraycopy(memory.p, at, memory.capped, 0, length);
      for (int key = 0; key < seen; key++) {
        Loops.chosen().addScaled(1, memory.starts, 0, memory.p, at + key * width, width);
      }
    }

    /** Products of keys or values with a panel of queries, each column from its own start. */
    private void scores(
        float[] packed, float[] queries, int begin, int seen, int startAt, float[] to, int at) {
      for (int key = 0; key < roundUp(seen, height); key++) {
        System.arraycopy(memory.starts, startAt, to, at + key * width, width);
      }
      for (int key = 0; key < seen; key += height) {
        kernel.run(d, packed, (begin + key) * d, queries, 0, to, at + key * width, width);
      }
    }

    void store(float[] gradient, float[] to, int kvHead) {
      int stride = shape.keyWidth();
      for (int key = 0; key < window; key++) {
        System.arraycopy(gradient, key * padded, to, (start + key) * stride + kvHead * d, d);
      }
    }
  }
}
