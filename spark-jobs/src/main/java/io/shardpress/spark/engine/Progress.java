package io.shardpress.spark.engine;

/** Hears how far a run has come. */
public interface Progress {
  /**
   * Says before anything else how much an earlier run has left.
   *
   * @param what such as blocks
   */
  void found(String what, int there, int total);

  /** Blocks, or other equal pieces, that the run has in all. */
  void begin(int total);

  /**
   * A piece is done.
   *
   * @param name such as model.layers.2
   * @param bits stored for each quantized weight, scales and zero points included
   * @param relativeError squared error of the output, or of the weights where there are no
   *     activations, over its squared sum
   */
  void done(String name, double bits, double relativeError);

  /** A piece was there already; see {@link #done}. */
  void reused(String name, double bits);

  /**
   * Tasks are at work; told every few seconds while they run, by a thread of Spark's, and at the
   * end of each step. Never by two threads at once.
   *
   * @param done by all tasks of the run so far
   */
  default void working(Work done) {}

  /** Something that people should read as it comes, in a line. */
  default void say(String line) {}

  /** The run has ended, well or not. */
  void end();
}
