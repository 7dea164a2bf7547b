package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.Locale;

/**
 * LRQ (arXiv 2407.11534): a low-rank matrix of weight scales.
 *
 * @param objective the error that is made small: of a block's output, or of each linear's
 * @param init where learning starts: from GPTQ's compensated weights, or from round to nearest
 * @param rank of the scaling matrix; 0: min(1024, min(out, in)/4) of each linear
 */
public record LrqSettings(Objective objective, Init init, int rank) implements Serializable {
  private static final int DEFAULT_RANK_LIMIT = 1024;

  /** What is minimised. */
  public enum Objective {
    BLOCK,
    LAYER
  }

  /** Where learning starts. */
  public enum Init {
    GPTQ,
    RTN
  }

  /** Those of an LRQ modifier. */
  public static LrqSettings of(Modifier m) {
    return new LrqSettings(
        Objective.valueOf(m.word(SettingKey.OBJECTIVE).toUpperCase(Locale.ROOT)),
        Init.valueOf(m.word(SettingKey.INIT).toUpperCase(Locale.ROOT)),
        m.whole(SettingKey.RANK));
  }

  /**
   * The rank used for a linear of [out × in]: the given one or the default, at most either side.
   */
  public int rank(int out, int in) {
    int least = Math.min(out, in);
    return rank == 0 ? Math.max(1, Math.min(DEFAULT_RANK_LIMIT, least / 4)) : Math.min(rank, least);
  }
}
