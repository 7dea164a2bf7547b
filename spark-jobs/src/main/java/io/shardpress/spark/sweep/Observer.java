package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.Serializable;

/**
 * What is observed on a partition's way through a block, on one chain. A record: names of parts
 * hold its components. What it gathers of each partition is merged by those who read the parts, in
 * the partitions' order.
 */
public interface Observer extends Serializable {
  /**
   * Begins with a partition.
   *
   * @param link the block as it is run
   * @param window tokens of a window
   */
  Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment);
}
