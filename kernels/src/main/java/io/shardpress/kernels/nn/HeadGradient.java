package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Scratch;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * Losses of next tokens and their gradients by the residual stream behind the last block, through
 * the final norm and the output projection. The last position of every window predicts nothing
 * there and has no gradient. Logits of some positions are held at a time, over the whole
 * vocabulary; the projection comes by in slices. Neither size changes what a position's softmax is.
 * One pass at a time: logits are kept in this object's own arrays.
 */
public final class HeadGradient {
  // Logits held at a time: 128 MiB. And elements of a slice of the projection: 64 MiB.
  private static final int LOGITS = 1 << 25;
  private static final int SLICE = 1 << 24;
  private static final int ROW_MULTIPLE = 128;

  private final int hidden;
  private final int vocabulary;
  private final float cap;
  private final double epsilon;
  private final int positions;
  private final int slice;
  private final Matmul matmul;
  private final Scratch scratch = new Scratch();
  private float[] logits = {};
  private float[] fullLogits = {};

  /**
   * @param cap logits x become cap·tanh(x/cap); 0 for none
   * @param epsilon of the final norm
   */
  public HeadGradient(int hidden, int vocabulary, double cap, double epsilon, Matmul matmul) {
    this(
        hidden,
        vocabulary,
        cap,
        epsilon,
        Math.max(1, LOGITS / vocabulary),
        Math.max(ROW_MULTIPLE, SLICE / hidden / ROW_MULTIPLE * ROW_MULTIPLE),
        matmul);
  }

  /**
   * @param positions whose logits are held at a time, at most
   * @param slice rows of the projection that are asked for at a time, at most
   */
  HeadGradient(
      int hidden,
      int vocabulary,
      double cap,
      double epsilon,
      int positions,
      int slice,
      Matmul matmul) {
    this.hidden = hidden;
    this.vocabulary = vocabulary;
    this.cap = (float) cap;
    this.epsilon = epsilon;
    this.positions = positions;
    this.slice = slice;
    this.matmul = matmul;
  }

  /**
   * A batch of whole windows behind the last block.
   *
   * @param x the residual stream [rows×hidden]
   * @param norm the final norm's weight [hidden]
   */
  public record Batch(float[] x, int rows, int window, float[] norm, HeadRows head) {
    public Batch {
      if (rows % window != 0) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "%d rows are no whole windows of %d tokens", rows, window));
      }
    }

    private boolean last(int row) {
      return row % window == window - 1;
    }
  }

  /**
   * −Σ log p(y) over all positions but the last of a window, with labels y drawn from the model's
   * own distribution p = softmax(logits). The sum of g·gᵀ over such gradients is the Fisher
   * information of the model, an expectation that the text's own next tokens do not give. Every
   * draw needs a backward pass of its own.
   *
   * @param firstWindow number of the batch's first window in the calibration text
   * @param dx receives ∂loss/∂x [rows×hidden], summed over tokens, not averaged
   * @return the loss
   */
  public double drawn(
      Batch batch, DrawnLabels labels, int draw, int firstWindow, float[] dx, Workers workers) {
    RowLoss loss =
        (row, at) -> {
          int window = firstWindow + row / batch.window;
          double uniform = labels.uniform(draw, window, row % batch.window);
          return drawnRow(at, uniform);
        };
    return run(batch, null, loss, dx, null, workers);
  }

  /**
   * Σ KL(full ‖ this model) over all positions but the last of a window, and the gradient of its
   * weighted sum. The full-precision logits are made from that model's residual stream, so that
   * nothing as wide as the vocabulary need be kept.
   *
   * @param full the same tokens of the full-precision model, its norm and projection; two models
   *     may share the latter
   * @param weight of a position in the gradient: 1 over their number for the mean's
   * @param dx receives ∂(weight·Σ KL)/∂x [rows×hidden]; null where only the loss is wanted
   * @param dNorm gets ∂(weight·Σ KL)/∂norm added [hidden]; may be null
   * @return Σ KL, not weighted, at least 0
   */
  public double divergence(
      Batch batch, Batch full, double weight, float[] dx, double[] dNorm, Workers workers) {
    RowLoss loss = (row, at) -> divergenceRow(at, weight);
    return run(batch, full, loss, dx, dNorm, workers);
  }

  /** Positions in a window that predict a token of it. */
  public static int predicting(int rows, int window) {
    return rows / window * (window - 1);
  }

  /** Makes of a position's logits at {@code at} their gradient, and returns its loss. */
  @FunctionalInterface
  private interface RowLoss {
    double of(int row, int at);
  }

  private double run(
      Batch batch, Batch full, RowLoss loss, float[] dx, double[] dNorm, Workers workers) {
    int most = Math.min(positions, batch.rows);
    logits = room(logits, most);
    fullLogits = full == null ? fullLogits : room(fullLogits, most);
    float[] x = new float[most * hidden];
    float[] normed = new float[most * hidden];
    double[] losses = new double[batch.rows];
    for (int first = 0; first < batch.rows; first += most) {
      int top = first;
      int n = Math.min(most, batch.rows - first);
      if (full != null) {
        System.arraycopy(full.x, first * hidden, x, 0, n * hidden);
        RmsNorm.forward(n, hidden, x, full.norm, epsilon, normed, workers);
        logits(full.head, normed, n, fullLogits, workers);
      }
      System.arraycopy(batch.x, first * hidden, x, 0, n * hidden);
      RmsNorm.forward(n, hidden, x, batch.norm, epsilon, normed, workers);
      logits(batch.head, normed, n, logits, workers);
      RowTiles.forEach(
          n,
          workers,
          i -> {
            int at = i * vocabulary;
            if (batch.last(top + i)) {
              java.util.Arrays.fill(logits, at, at + vocabulary, 0);
            } else {
              losses[top + i] = loss.of(top + i, at);
            }
          });
      if (dx != null) {
        float[] gradient = normed;
        inputGradient(batch.head, n, gradient, workers);
        if (dNorm != null) {
          double[] some = RmsNorm.weightGradient(n, hidden, x, epsilon, gradient, workers);
          for (int j = 0; j < hidden; j++) {
            dNorm[j] += some[j];
          }
        }
        RmsNorm.backwardInPlace(n, hidden, x, batch.norm, epsilon, gradient, workers);
        System.arraycopy(gradient, 0, dx, first * hidden, n * hidden);
      }
    }
    double sum = 0;
    for (double each : losses) {
      sum += each;
    }
    return sum;
  }

  private float[] room(float[] made, int rows) {
    int size = Math.multiplyExact(rows, vocabulary);
    return made.length < size ? new float[size] : made;
  }

  /** Capped logits [n × vocabulary] of normed [n × hidden]. */
  private void logits(HeadRows head, float[] normed, int n, float[] into, Workers workers) {
    for (int first = 0; first < vocabulary; first += slice) {
      int count = Math.min(slice, vocabulary - first);
      matmul.multiply(
          Op.AS_IS,
          Op.TRANSPOSED,
          n,
          count,
          hidden,
          1,
          normed,
          0,
          hidden,
          head.rows(first, count),
          0,
          hidden,
          0,
          into,
          first,
          vocabulary,
          workers);
    }
    if (cap != 0) {
      RowTiles.forEach(
          n,
          workers,
          i -> TanhLoops.chosen().softCap(into, i * vocabulary, (i + 1) * vocabulary, cap));
    }
  }

  /** dy [n × hidden] from the logits' gradients. */
  private void inputGradient(HeadRows head, int n, float[] dy, Workers workers) {
    for (int first = 0; first < vocabulary; first += slice) {
      int count = Math.min(slice, vocabulary - first);
      matmul.multiply(
          Op.AS_IS,
          Op.AS_IS,
          n,
          hidden,
          count,
          1,
          logits,
          first,
          vocabulary,
          head.rows(first, count),
          0,
          hidden,
          first == 0 ? 0 : 1,
          dy,
          0,
          hidden,
          workers);
    }
  }

  /** softmax − onehot(y) in the logits' place. */
  private double drawnRow(int at, double uniform) {
    float[] capped = cap == 0 ? null : copy(logits, at);
    double total = exponentials(logits, at);
    int label = label(at, uniform * total);
    double loss = Math.log(total) - Math.log(logits[at + label]);
    Loops.chosen().scale((float) (1 / total), logits, at, at + vocabulary);
    logits[at + label] -= 1;
    throughCap(capped, at);
    return loss;
  }

  /** The token at which the sum of exponentials in the vocabulary's order passes a place in it. */
  private int label(int at, double place) {
    double sum = 0;
    int last = 0;
    for (int v = 0; v < vocabulary; v++) {
      if (logits[at + v] > 0) {
        sum += logits[at + v];
        last = v;
        if (sum > place) {
          return v;
        }
      }
    }
    return last;
  }

  /** weight·(q − p) in the logits' place, p the full-precision distribution. */
  private double divergenceRow(int at, double weight) {
    float[] capped = cap == 0 ? null : copy(logits, at);
    float[] full = copy(fullLogits, at);
    double largest = Loops.chosen().max(logits, at, at + vocabulary);
    double fullLargest = Loops.chosen().max(fullLogits, at, at + vocabulary);
    double fullTotal = exponentials(fullLogits, at);
    double difference = 0;
    for (int v = 0; v < vocabulary; v++) {
      double a = full[v] - fullLargest;
      difference += fullLogits[at + v] * (a - (logits[at + v] - largest));
    }
    double total = exponentials(logits, at);
    double divergence = difference / fullTotal - Math.log(fullTotal) + Math.log(total);
    Loops.chosen().scale((float) (weight / total), logits, at, at + vocabulary);
    float share = (float) (-weight / fullTotal);
    Loops.chosen().addScaled(share, fullLogits, at, logits, at, vocabulary);
    throughCap(capped, at);
    scratch.giveBack(full);
    // At least 0 by Gibbs' inequality, but for rounding; NaN stays.
    return divergence < 0 ? 0 : divergence;
  }

  private float[] copy(float[] from, int at) {
    float[] copy = scratch.borrow(vocabulary);
    System.arraycopy(from, at, copy, 0, vocabulary);
    return copy;
  }

  /** x ← e^(x − its largest) over the vocabulary at {@code at}; their sum, in order. */
  private double exponentials(float[] x, int at) {
    float largest = Loops.chosen().max(x, at, at + vocabulary);
    Loops.chosen().expShifted(x, at, at + vocabulary, largest);
    double total = 0;
    for (int v = at; v < at + vocabulary; v++) {
      total += x[v];
    }
    return total;
  }

  private void throughCap(float[] capped, int at) {
    if (capped != null) {
      TanhLoops.chosen().softCapGradient(capped, 0, logits, at, vocabulary, cap);
      scratch.giveBack(capped);
    }
  }
}
