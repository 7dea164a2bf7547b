package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * SmoothQuant (arXiv 2211.10438).
 *
 * @param strength α: how much of the inputs' range goes into the weights, 0 to 1
 */
public record SmoothQuantSettings(double strength) implements Serializable {
  /** Those of a SmoothQuant modifier. */
  public static SmoothQuantSettings of(Modifier m) {
    return new SmoothQuantSettings(m.real(SettingKey.SMOOTHING_STRENGTH));
  }
}
