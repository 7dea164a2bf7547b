package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;

/** Observes nothing. */
public record Unobserved() implements Observer {
  @Override
  public Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment) {
    return writer -> {};
  }
}
