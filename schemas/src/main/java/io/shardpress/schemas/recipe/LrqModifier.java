package io.shardpress.schemas.recipe;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * LRQ (arXiv 2407.11534): a low-rank matrix of weight scales learned block by block.
 *
 * @param init where learning starts: from GPTQ's compensated weights, or from round to nearest
 * @param order whether a block learns on what the quantized blocks before it give, or all side by
 *     side on full-precision inputs
 * @param rank of the scaling matrix; 0: min(1024, min(out, in)/4) of each linear
 * @param iterations Adam steps per block
 * @param learningRate at the start; a cosine takes it to 0
 * @param batchSize calibration windows per step, drawn with replacement
 * @param keepBest take the parameters of the least loss instead of the last ones
 * @param stepSearch search the first step over shrunk ranges instead of taking it from min and max
 * @param alpha this and what follows: as in {@link GptqModifier}, for {@code init} GPTQ
 */
public record LrqModifier(
    List<SchemeGroup> groups,
    List<String> ignore,
    Init init,
    Order order,
    int rank,
    int iterations,
    double learningRate,
    int batchSize,
    boolean keepBest,
    boolean stepSearch,
    double alpha,
    double damping,
    int blockSize,
    double dampeningFrac,
    boolean trueSequential,
    long seed)
    implements Modifier {
  private static final int DEFAULT_RANK_LIMIT = 1024;

  /** Where learning starts. */
  public enum Init {
    GPTQ,
    RTN
  }

  /** Which inputs a block learns on. */
  public enum Order {
    SEQUENTIAL,
    PARALLEL
  }

  public LrqModifier {
    groups = List.copyOf(groups);
    ignore = List.copyOf(ignore);
  }

  static LrqModifier of(List<SchemeGroup> groups, List<String> ignore, Settings s) {
    return new LrqModifier(
        groups,
        ignore,
        Init.valueOf(upper(s.word(SettingKey.INIT))),
        Order.valueOf(upper(s.word(SettingKey.ORDER))),
        s.whole(SettingKey.RANK),
        s.whole(SettingKey.ITERATIONS),
        s.real(SettingKey.LEARNING_RATE),
        s.whole(SettingKey.BATCH_SIZE),
        s.flag(SettingKey.KEEP_BEST),
        s.flag(SettingKey.STEP_SEARCH),
        s.real(SettingKey.ALPHA),
        s.real(SettingKey.DAMPING),
        s.whole(SettingKey.BLOCK_SIZE),
        s.real(SettingKey.DAMPENING_FRAC),
        s.flag(SettingKey.TRUE_SEQUENTIAL),
        s.wide(SettingKey.SEED));
  }

  /**
   * The rank used for a linear of [out × in]: the given one or the default, at most either side.
   */
  public int rank(int out, int in) {
    int least = Math.min(out, in);
    return rank == 0 ? Math.max(1, Math.min(DEFAULT_RANK_LIMIT, least / 4)) : Math.min(rank, least);
  }

  @Override
  public ModifierKind kind() {
    return ModifierKind.LRQ;
  }

  @Override
  public Modifier withSeed(long newSeed) {
    return new LrqModifier(
        groups,
        ignore,
        init,
        order,
        rank,
        iterations,
        learningRate,
        batchSize,
        keepBest,
        stepSearch,
        alpha,
        damping,
        blockSize,
        dampeningFrac,
        trueSequential,
        newSeed);
  }

  @Override
  public Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(SettingKey.OBJECTIVE.key(), SettingKey.OBJECTIVE.standard());
    settings.put(SettingKey.INIT.key(), lower(init));
    settings.put(SettingKey.ORDER.key(), lower(order));
    settings.put(SettingKey.RANK.key(), (long) rank);
    settings.put(SettingKey.ITERATIONS.key(), (long) iterations);
    settings.put(SettingKey.LEARNING_RATE.key(), learningRate);
    settings.put(SettingKey.BATCH_SIZE.key(), (long) batchSize);
    settings.put(SettingKey.KEEP_BEST.key(), keepBest);
    settings.put(SettingKey.TOUCH_UP.key(), SettingKey.TOUCH_UP.standard());
    settings.put(SettingKey.STEP_SEARCH.key(), stepSearch);
    settings.put(SettingKey.ALPHA.key(), alpha);
    settings.put(SettingKey.DAMPING.key(), damping);
    settings.put(SettingKey.BLOCK_SIZE.key(), (long) blockSize);
    settings.put(SettingKey.DAMPENING_FRAC.key(), dampeningFrac);
    settings.put(SettingKey.TRUE_SEQUENTIAL.key(), trueSequential);
    settings.put(SettingKey.SEED.key(), seed);
    return settings;
  }

  private static String upper(String word) {
    return word.toUpperCase(Locale.ROOT);
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
