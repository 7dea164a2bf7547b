package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Rounding without data.
 *
 * @param stepSearch search the step over shrunk ranges instead of taking it from min and max
 */
public record RoundingSettings(boolean stepSearch) implements Serializable {
  /** Those of a modifier that rounds to nearest. */
  public static RoundingSettings of(Modifier m) {
    return new RoundingSettings(m.flag(SettingKey.STEP_SEARCH));
  }
}
