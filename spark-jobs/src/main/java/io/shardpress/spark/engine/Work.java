package io.shardpress.spark.engine;

/**
 * Work that tasks have done; of those still running, what is known of them so far.
 *
 * @param tasks that have ended well
 * @param flop of products of matrices, where nearly all arithmetic is
 * @param bytesRead from weights and parts
 * @param bytesWritten to parts and outputs
 */
public record Work(long tasks, long flop, long bytesRead, long bytesWritten) {
  public static final Work NONE = new Work(0, 0, 0, 0);

  public Work plus(Work other) {
    return new Work(
        tasks + other.tasks,
        flop + other.flop,
        bytesRead + other.bytesRead,
        bytesWritten + other.bytesWritten);
  }
}
