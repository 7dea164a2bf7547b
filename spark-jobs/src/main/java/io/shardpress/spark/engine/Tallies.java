package io.shardpress.spark.engine;

import java.io.Serializable;
import org.apache.spark.SparkContext;

/**
 * What a run's tasks add up. On the driver these are sums over tasks that have ended, each counted
 * once however often it was tried; in a task they are its own.
 */
record Tallies(Tally tasks, Tally flop, Tally bytesRead, Tally bytesWritten)
    implements Serializable {
  /** Some that nobody else sees. */
  static Tallies alone() {
    return new Tallies(new Tally(), new Tally(), new Tally(), new Tally());
  }

  /** Some that Spark collects from tasks, and shows for every stage. */
  static Tallies of(SparkContext spark) {
    Tallies tallies = alone();
    spark.register(tallies.tasks, "tasks");
    spark.register(tallies.flop, "flop");
    spark.register(tallies.bytesRead, "bytes read");
    spark.register(tallies.bytesWritten, "bytes written");
    return tallies;
  }

  Work work() {
    return new Work(tasks.value(), flop.value(), bytesRead.value(), bytesWritten.value());
  }
}
