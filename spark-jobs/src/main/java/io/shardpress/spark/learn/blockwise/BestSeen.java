package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.spark.engine.TaskEnvironment;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/**
 * Keeps a block's parameters with the least loss over windows spread evenly over the text, and says
 * when learning has lost its way.
 */
public final class BestSeen {
  private static final int CHECKS = 5;
  private static final int CHECK_WINDOWS = 32;
  private static final int FEWEST_CHECK_WINDOWS = 8;

  // Of short learning's time, checks over all windows would take a half.
  private static final int TRAINED_PER_CHECKED = 8;

  // Gradients that pass straight through rounding lead away from where GPTQ and descent have come
  // to the end of single changes: on fine grids for good, on coarse ones until the rate has fallen.
  // After two of five checks losses of 1.3 times the least came back below it, of 1.5 and more they
  // did not, or by a hundredth.
  private static final double LOST = 1.4;
  private static final int EARLY_CHECKS = 2;

  private final DoubleSupplier loss;
  private final Runnable remember;
  private double least = Double.POSITIVE_INFINITY;

  /**
   * @param trained windows that learning takes in all its steps, one counted as often as drawn
   */
  BestSeen(
      BlockwiseLearner learner, LearningBatches batches, int trained, TaskEnvironment environment) {
    this(
        () -> batches.loss(windows(batches.windows(), trained), environment.workers()),
        learner::remember);
  }

  /**
   * @param loss of the present parameters on {@link #windows}
   * @param remember them
   */
  public BestSeen(DoubleSupplier loss, Runnable remember) {
    this.loss = loss;
    this.remember = remember;
  }

  /** The windows of a text of so many that a loss is taken over. */
  public static int[] windows(int windows) {
    return spread(windows, CHECK_WINDOWS);
  }

  private static int[] windows(int windows, int trained) {
    int most = Math.min(CHECK_WINDOWS, trained / TRAINED_PER_CHECKED);
    return spread(windows, Math.max(FEWEST_CHECK_WINDOWS, most));
  }

  private static int[] spread(int windows, int most) {
    int checked = Math.min(windows, most);
    return IntStream.range(0, checked).map(i -> (int) ((long) i * windows / checked)).toArray();
  }

  /**
   * Checks where a check is due.
   *
   * @param iteration the next one, from 0
   * @return whether to take it; false from two fifths on, where the loss is far above the least
   */
  public boolean goOn(int iteration, int iterations) {
    int interval = Math.max(1, iterations / CHECKS);
    if (iteration % interval != 0) {
      return true;
    }
    double now = check();
    return iteration < EARLY_CHECKS * interval || !(now > LOST * least);
  }

  /** Remembers the parameters if there were none better; their loss. */
  public double check() {
    double now = loss.getAsDouble();
    // Not by loss alone: without the first check there would be nothing to go back to.
    if (now < least || least == Double.POSITIVE_INFINITY) {
      least = now;
      remember.run();
    }
    return now;
  }
}
