package io.shardpress.spark.cli;

import java.time.Duration;

/**
 * Ends a process that does not end: after an OutOfMemoryError a shutdown hook, of Spark or of
 * Hadoop, may wait for a thread that is no more, and a scheduler would wait for the process.
 */
final class LastResort {
  /** Far more than hooks take where all is well. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private LastResort() {}

  /** Call before System.exit: if hooks are still at work after a while, the process ends. */
  static void endsWith(int code) {
    endsWith(code, PATIENCE);
  }

  static void endsWith(int code, Duration patience) {
    Thread thread =
        new Thread(
            () -> {
              try {
                Thread.sleep(patience.toMillis());
              } catch (InterruptedException e) {
                // Nobody has a reason to; then there is no more reason to wait.
              }
              Runtime.getRuntime().halt(code);
            },
            "last-resort");
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      Runtime.getRuntime().halt(code);
    }
  }
}
