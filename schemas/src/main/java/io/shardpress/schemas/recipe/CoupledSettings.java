package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Coupled descent after GPTQ.
 *
 * @param rounds turns of steps and integers
 * @param sweeps over all integers in a turn, at most
 * @param draws of labels for each token, each with a backward pass of its own
 * @param seed of the draws
 */
public record CoupledSettings(int rounds, int sweeps, int draws, long seed)
    implements Serializable {
  /** Those of a coupled modifier. */
  public static CoupledSettings of(Modifier m) {
    return new CoupledSettings(
        m.whole(SettingKey.COUPLED_ROUNDS),
        m.whole(SettingKey.COUPLED_SWEEPS),
        m.whole(SettingKey.DRAWS),
        m.seed());
  }
}
