package io.shardpress.kernels.loops;

/** Adam's decay rates (arXiv 1412.6980, algorithm 1). */
public final class AdamConstants {
  public static final float BETA_1 = 0.9f;
  public static final float BETA_2 = 0.999f;

  /** β₂ where a run has some dozens of steps: it forgets after a hundred. */
  public static final float SHORT_BETA_2 = 0.99f;

  static final float REST_1 = 1 - BETA_1;

  private AdamConstants() {}
}
