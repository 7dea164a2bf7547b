package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.Locale;

/**
 * How a block-wise learner goes over a block's windows.
 *
 * @param order whether a block learns on what the quantized blocks before it give, or all side by
 *     side on full-precision inputs
 * @param iterations steps per block
 * @param learningRate at the start; it falls to zero
 * @param batchSize calibration windows per step, drawn with replacement
 * @param keepBest take the parameters of the least loss instead of the last ones
 * @param touchUp steps in order after learning in parallel
 * @param scaleIterations steps on the scales alone, on the same output error, with the integers
 *     that learning has found
 * @param stepSearch search the first step over shrunk ranges instead of taking it from min and max
 */
public record BlockwiseSettings(
    Order order,
    int iterations,
    double learningRate,
    int batchSize,
    boolean keepBest,
    int touchUp,
    int scaleIterations,
    boolean stepSearch,
    long seed)
    implements Serializable {
  /** Which inputs a block learns on. */
  public enum Order {
    SEQUENTIAL,
    PARALLEL
  }

  /** Those of a block-wise modifier: LRQ, FlexRound or AutoRound. */
  public static BlockwiseSettings of(Modifier m) {
    int iterations = m.whole(SettingKey.ITERATIONS);
    double rate = m.real(SettingKey.LEARNING_RATE);
    return new BlockwiseSettings(
        Order.valueOf(m.word(SettingKey.ORDER).toUpperCase(Locale.ROOT)),
        iterations,
        rate == 0 ? 1.0 / iterations : rate,
        m.whole(SettingKey.BATCH_SIZE),
        m.flag(SettingKey.KEEP_BEST),
        m.whole(SettingKey.TOUCH_UP),
        m.whole(SettingKey.SCALE_ITERATIONS),
        m.flag(SettingKey.STEP_SEARCH),
        m.seed());
  }

  /** The same with another number of steps. */
  public BlockwiseSettings withIterations(int other) {
    return new BlockwiseSettings(
        order,
        other,
        learningRate,
        batchSize,
        keepBest,
        touchUp,
        scaleIterations,
        stepSearch,
        seed);
  }
}
