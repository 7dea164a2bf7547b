package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.PanelKernel;
import io.shardpress.kernels.parallel.Scratch;
import io.shardpress.kernels.parallel.Workers;
import java.util.Arrays;

/**
 * Causal softmax attention with grouped heads, softmax(Q·Kᵀ/√D)·V, over windows of {@code window}
 * rows; where scores are capped, softmax(cap·tanh(Q·Kᵀ/√D/cap))·V. Queries go in tiles of {@link
 * #QUERIES} rows against all keys that they may see, so memory is a tile by a window, never a
 * window by a window for every head (arXiv 2205.14135 without its tiling of keys). The backward
 * pass makes the tile's probabilities again from the stored log-sum-exp.
 *
 * <p>Where there are vectors, {@link PanelAttention} and {@link PanelAttentionGradient} do the
 * passes, on the micro-kernel itself; what stands here of them is for processes without.
 *
 * <p>A piece of work is one window and one key-value head with all query heads that share it, so
 * that gradients of keys and values are summed in one order.
 */
final class Attention {
  private static final int QUERIES = 128;

  // A multiple of every vector's lanes.
  private static final int WHOLE_VECTORS = 16;

  private final BlockShape shape;
  private final Matmul matmul;
  private final float scale;
  private final float cap;

  // Null where there are no vectors: then both passes go through the products.
  private final PanelAttention panels;
  private final PanelAttentionGradient panelGradient;
  private final Scratch scratch = new Scratch();
  private final Scratch rowScratch = new Scratch();

  Attention(BlockShape shape, Matmul matmul) {
    this(shape, matmul, PanelKernel.chosen());
  }

  /**
   * @param kernel null to go through the products
   */
  Attention(BlockShape shape, Matmul matmul, PanelKernel kernel) {
    this.shape = shape;
    this.matmul = matmul;
    this.scale = (float) (1 / Math.sqrt(shape.traits().queryScalar()));
    this.cap = (float) shape.traits().scoreCap();
    this.panels = kernel == null ? null : new PanelAttention(shape, kernel, scale);
    this.panelGradient = kernel == null ? null : new PanelAttentionGradient(shape, kernel, scale);
  }

  /**
   * out [rows×heads·D] from q [rows×heads·D], k and v [rows×kvHeads·D]; also logSumExp
   * [heads×rows], for the backward pass.
   */
  void forward(
      int rows,
      int window,
      float[] q,
      float[] k,
      float[] v,
      float[] out,
      float[] logSumExp,
      Workers workers) {
    int d = shape.headDim();
    if (panels != null) {
      forEachPiece(
          rows,
          window,
          workers,
          (start, kvHead) -> panels.forward(start, window, kvHead, rows, q, k, v, out, logSumExp));
      return;
    }
    int qWidth = shape.queryWidth();
    int kWidth = shape.keyWidth();
    forEachTile(
        rows,
        window,
        workers,
        tile -> {
          float[] p = scratch.borrow(QUERIES * padded(window));
          float[] sums = rowScratch.borrow(QUERIES);
          scores(tile, q, k, p);
          for (int i = 0; i < tile.queries; i++) {
            sums[i] = exponentials(tile, i, p, rows, logSumExp);
          }
          matmul.multiply(
              Op.AS_IS,
              Op.AS_IS,
              tile.queries,
              d,
              tile.keys,
              1,
              p,
              0,
              tile.stride(),
              v,
              tile.firstKey * kWidth + tile.kvHead * d,
              kWidth,
              0,
              out,
              tile.firstQuery * qWidth + tile.head * d,
              qWidth,
              Workers.single());
          for (int i = 0; i < tile.queries; i++) {
            int at = (tile.firstQuery + i) * qWidth + tile.head * d;
            Loops.chosen().scale(1 / sums[i], out, at, at + d);
          }
          scratch.giveBack(p);
          rowScratch.giveBack(sums);
        });
  }

  /**
   * dq, dk, dv from dout, with the forward pass's q, k, v, out and logSumExp; shapes as there. dq,
   * dk and dv are overwritten.
   */
  void backward(
      int rows,
      int window,
      float[] q,
      float[] k,
      float[] v,
      float[] out,
      float[] logSumExp,
      float[] dout,
      float[] dq,
      float[] dk,
      float[] dv,
      Workers workers) {
    int d = shape.headDim();
    if (panelGradient != null) {
      forEachPiece(
          rows,
          window,
          workers,
          (start, kvHead) ->
              panelGradient.backward(
                  start, window, kvHead, rows, q, k, v, out, logSumExp, dout, dq, dk, dv));
      return;
    }
    int qWidth = shape.queryWidth();
    int kWidth = shape.keyWidth();
    Arrays.fill(dk, 0, rows * kWidth, 0);
    Arrays.fill(dv, 0, rows * kWidth, 0);
    Workers one = Workers.single();
    forEachTile(
        rows,
        window,
        workers,
        tile -> {
          int query = tile.firstQuery * qWidth + tile.head * d;
          int key = tile.firstKey * kWidth + tile.kvHead * d;
          int n = tile.keys;
          int stride = tile.stride();
          float[] p = scratch.borrow(QUERIES * padded(window));
          float[] dp = scratch.borrow(QUERIES * padded(window));
          scores(tile, q, k, p);
          float[] capped = cap == 0 ? null : Arrays.copyOf(p, tile.queries * stride);
          for (int i = 0; i < tile.queries; i++) {
            int at = i * stride;
            int begin = at + tile.begin(i);
            int end = at + tile.end(i);
            float lse = logSumExp[tile.head * rows + tile.firstQuery + i];
            int whole = Math.min(at + stride, begin + padded(end - begin));
            Arrays.fill(p, at, begin, 0);
            Arrays.fill(p, end, whole, Float.NEGATIVE_INFINITY);
            Loops.chosen().expShifted(p, begin, whole, lse);
            Arrays.fill(p, end, at + stride, 0);
          }
          matmul.multiply(
              Op.TRANSPOSED,
              Op.AS_IS,
              n,
              d,
              tile.queries,
              1,
              p,
              0,
              stride,
              dout,
              query,
              qWidth,
              1,
              dv,
              key,
              kWidth,
              one);
          matmul.multiply(
              Op.AS_IS,
              Op.TRANSPOSED,
              tile.queries,
              n,
              d,
              1,
              dout,
              query,
              qWidth,
              v,
              key,
              kWidth,
              0,
              dp,
              0,
              stride,
              one);
          for (int i = 0; i < tile.queries; i++) {
            int at = query + i * qWidth;
            float pull = Loops.chosen().dot(dout, at, out, at, d);
            Loops.chosen().softmaxGradient(p, dp, i * stride, n, pull, scale);
            if (capped != null) {
              TanhLoops.chosen().softCapGradient(capped, i * stride, dp, i * stride, n, cap);
            }
          }
          matmul.multiply(
              Op.AS_IS,
              Op.AS_IS,
              tile.queries,
              d,
              n,
              1,
              dp,
              0,
              stride,
              k,
              key,
              kWidth,
              0,
              dq,
              query,
              qWidth,
              one);
          matmul.multiply(
              Op.TRANSPOSED,
              Op.AS_IS,
              n,
              d,
              tile.queries,
              1,
              dp,
              0,
              stride,
              q,
              query,
              qWidth,
              1,
              dk,
              key,
              kWidth,
              one);
          scratch.giveBack(p);
          scratch.giveBack(dp);
        });
  }

  private void scores(Tile tile, float[] q, float[] k, float[] into) {
    matmul.multiply(
        Op.AS_IS,
        Op.TRANSPOSED,
        tile.queries,
        tile.keys,
        shape.headDim(),
        scale,
        q,
        tile.firstQuery * shape.queryWidth() + tile.head * shape.headDim(),
        shape.queryWidth(),
        k,
        tile.firstKey * shape.keyWidth() + tile.kvHead * shape.headDim(),
        shape.keyWidth(),
        0,
        into,
        0,
        tile.stride(),
        Workers.single());
    if (cap != 0) {
      TanhLoops.chosen().softCap(into, 0, tile.queries * tile.stride(), cap);
    }
  }

  /** A row's softmax without its division by the sum, which is the result. */
  private static float exponentials(Tile tile, int i, float[] p, int rows, float[] logSumExp) {
    int at = i * tile.stride();
    int begin = at + tile.begin(i);
    int end = at + tile.end(i);
    int whole = Math.min(at + tile.stride(), begin + padded(end - begin));
    Arrays.fill(p, end, whole, Float.NEGATIVE_INFINITY);
    float largest = Loops.chosen().max(p, begin, whole);
    float sum = Loops.chosen().expShifted(p, begin, whole, largest);
    Arrays.fill(p, at, begin, 0);
    Arrays.fill(p, end, at + tile.stride(), 0);
    logSumExp[tile.head * rows + tile.firstQuery + i] = (float) (largest + Math.log(sum));
    return sum;
  }

  private void forEachTile(
      int rows, int window, Workers workers, java.util.function.Consumer<Tile> body) {
    int share = shape.heads() / shape.kvHeads();
    forEachPiece(
        rows,
        window,
        workers,
        (start, kvHead) -> {
          for (int head = kvHead * share; head < (kvHead + 1) * share; head++) {
            for (int first = 0; first < window; first += QUERIES) {
              body.accept(tile(start, window, first, head, kvHead));
            }
          }
        });
  }

  /** What is done for a window and a key-value head. */
  private interface Piece {
    void run(int start, int kvHead);
  }

  private void forEachPiece(int rows, int window, Workers workers, Piece body) {
    workers.forEach(
        rows / window * shape.kvHeads(),
        piece -> body.run(piece / shape.kvHeads() * window, piece % shape.kvHeads()));
  }

  private Tile tile(int start, int window, int first, int head, int kvHead) {
    int last = Math.min(window, first + QUERIES);
    int sliding = shape.slidingWindow();
    int begin = sliding == 0 ? 0 : Math.max(0, first - sliding + 1);
    return new Tile(
        head, kvHead, start + first, last - first, start + begin, last - begin, sliding);
  }

  private static int padded(int keys) {
    return (keys + WHOLE_VECTORS - 1) / WHOLE_VECTORS * WHOLE_VECTORS;
  }

  /** Queries of one head and the keys that at least one of them sees; rows of the whole batch. */
  private record Tile(
      int head, int kvHead, int firstQuery, int queries, int firstKey, int keys, int sliding) {
    /** Elements between rows of scores: room to end every row's loop on a whole vector. */
    int stride() {
      return padded(keys);
    }

    /** The first key, counted from {@code firstKey}, that query i sees. */
    int begin(int i) {
      return sliding == 0 ? 0 : Math.max(0, firstQuery + i - sliding + 1 - firstKey);
    }

    /** One past the last key that query i sees. */
    int end(int i) {
      return firstQuery + i + 1 - firstKey;
    }
  }
}
