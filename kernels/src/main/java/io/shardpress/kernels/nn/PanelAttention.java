package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.matmul.PanelKernel;
import io.shardpress.kernels.parallel.Scratch;
import java.util.Arrays;

/**
 * The forward pass of {@link Attention} for one window and key-value head on the micro-kernel's own
 * panels. Scores stand transposed, keys by a panel's width of queries: so the softmax of many
 * queries goes along the keys in whole vectors, and its result is, as it lies, the second factor of
 * the product with the values. Keys that no query of a panel sees are not computed.
 */
final class PanelAttention {
  private final BlockShape shape;
  private final PanelKernel kernel;
  private final float scale;
  private final Scratch keyScratch = new Scratch();
  private final Scratch valueScratch = new Scratch();
  private final Scratch scoreScratch = new Scratch();
  private final Scratch smallScratch = new Scratch();

  PanelAttention(BlockShape shape, PanelKernel kernel, float scale) {
    this.shape = shape;
    this.kernel = kernel;
    this.scale = scale;
  }

  /** Places in the work memory of one panel of queries. */
  private record Places(int query, int output, int largest, int sums, int length) {}

  private Places places() {
    int width = kernel.columns();
    int output = shape.headDim() * width;
    int largest = output + roundUp(shape.headDim(), kernel.rows()) * width;
    return new Places(0, output, largest, largest + width, largest + 2 * width);
  }

  /**
   * Arrays as for {@link Attention#forward}.
   *
   * @param start the window's first row
   * @param rows of the whole batch
   */
  void forward(
      int start,
      int window,
      int kvHead,
      int rows,
      float[] q,
      float[] k,
      float[] v,
      float[] out,
      float[] logSumExp) {
    int d = shape.headDim();
    int height = kernel.rows();
    int kWidth = shape.keyWidth();
    int at = start * kWidth + kvHead * d;
    float[] keys = keyScratch.borrow(roundUp(window, height) * d);
    for (int first = 0; first < window; first += height) {
      int count = Math.min(height, window - first);
      PanelKernel.packAlong(k, at + first * kWidth, kWidth, count, d, height, keys, first * d);
    }
    float[] values = valueScratch.borrow(roundUp(d, height) * window);
    for (int first = 0; first < d; first += height) {
      int count = Math.min(height, d - first);
      PanelKernel.packAcross(v, at + first, kWidth, count, window, height, values, first * window);
    }
    float[] small = smallScratch.borrow(places().length);
    float[] scores = scoreScratch.borrow(roundUp(window, height) * kernel.columns());
    int share = shape.heads() / shape.kvHeads();
    for (int head = kvHead * share; head < (kvHead + 1) * share; head++) {
      for (int first = 0; first < window; first += kernel.columns()) {
        panel(start, window, first, head, rows, q, keys, values, small, scores, out, logSumExp);
      }
    }
    keyScratch.giveBack(keys);
    valueScratch.giveBack(values);
    smallScratch.giveBack(small);
    scoreScratch.giveBack(scores);
  }

  /** The queries of one head from {@code first} on. */
  private void panel(
      int start,
      int window,
      int first,
      int head,
      int rows,
      float[] q,
      float[] keys,
      float[] values,
      float[] small,
      float[] scores,
      float[] out,
      float[] logSumExp) {
    int d = shape.headDim();
    int height = kernel.rows();
    int width = kernel.columns();
    int queries = Math.min(width, window - first);
    int sliding = shape.slidingWindow();
    int begin = sliding == 0 ? 0 : Math.max(0, first - sliding + 1) / height * height;
    int seen = first + queries - begin;
    int qWidth = shape.queryWidth();
    Places places = places();

    int query = (start + first) * qWidth + head * d;
    PanelKernel.packAlong(q, query, qWidth, queries, d, width, small, places.query);
    Loops.chosen().scale(scale, small, places.query, places.query + d * width);
    Arrays.fill(scores, 0, roundUp(seen, height) * width, 0);
    for (int key = 0; key < seen; key += height) {
      kernel.run(d, keys, (begin + key) * d, small, places.query, scores, key * width, width);
    }
    float cap = (float) shape.traits().scoreCap();
    if (cap != 0) {
      TanhLoops.chosen().softCap(scores, 0, seen * width, cap);
    }
    mask(scores, 0, width, first, begin, seen, sliding);
    Loops.chosen().softmaxColumns(scores, seen, width, small, places.largest, places.sums);

    Arrays.fill(small, places.output, places.largest, 0);
    for (int line = 0; line < d; line += height) {
      int panel = line * window + begin * height;
      kernel.run(seen, values, panel, scores, 0, small, places.output + line * width, width);
    }
    for (int i = 0; i < queries; i++) {
      float sum = small[places.sums + i];
      float inverse = 1 / sum;
      int to = query + i * qWidth;
      for (int j = 0; j < d; j++) {
        out[to + j] = small[places.output + j * width + i] * inverse;
      }
      logSumExp[head * rows + start + first + i] =
          (float) (small[places.largest + i] + Math.log(sum));
    }
  }

  /**
   * −∞ where a query does not see a key: behind it, or so far before it that its window is over.
   *
   * @param scores [seen × width] from {@code at} on: keys from {@code begin} on, by queries from
   *     {@code first} on
   * @param sliding tokens that a query sees, itself among them; 0 for all before it
   */
  static void mask(float[] scores, int at, int width, int first, int begin, int seen, int sliding) {
    for (int key = Math.max(0, first - begin + 1); key < seen; key++) {
      int unseen = begin + key - first;
      int row = at + key * width;
      Arrays.fill(scores, row, row + Math.min(width, unseen), Float.NEGATIVE_INFINITY);
    }
    if (sliding == 0) {
      return;
    }
    for (int key = 0; key < seen; key++) {
      int past = begin + key + sliding - first;
      if (past >= width) {
        break;
      }
      int row = at + key * width;
      Arrays.fill(scores, row + Math.max(0, past), row + width, Float.NEGATIVE_INFINITY);
    }
  }

  static int roundUp(int count, int unit) {
    return (count + unit - 1) / unit * unit;
  }
}
