package io.shardpress.spark.app.options;

/** What a command's end says to the shell. */
public final class ExitCodes {
  public static final int DONE = 0;
  public static final int FAILED = 1;

  /** Unknown option, scheme or recipe key. */
  public static final int WRONG_USAGE = 2;

  /** {@code evaluate --max-kl}: the compressed model is too far from the original. */
  public static final int LIMIT_EXCEEDED = 3;

  /** Told to end by a signal; the same command goes on. */
  public static final int INTERRUPTED = 4;

  private ExitCodes() {}
}
