package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * AWQ (arXiv 2306.00978).
 *
 * @param grid exponents tried, evenly from 0 and below 1
 * @param clip search ranges after the scales; only where AWQ rounds by itself
 */
public record AwqSettings(int grid, boolean clip) implements Serializable {
  /** Those of an AWQ modifier. */
  public static AwqSettings of(Modifier m) {
    return new AwqSettings(
        m.whole(SettingKey.N_GRID), m.flag(SettingKey.CLIP) && !m.groups().isEmpty());
  }
}
