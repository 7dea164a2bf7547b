package io.shardpress.spark.sweep;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Windows [first, first + count) of the calibration text. Partitions follow from the number and
 * length of windows alone, so that sums over them have one order on every cluster.
 */
public record SamplePartition(int index, int first, int count) implements Serializable {
  // Fewer tokens would not be worth a task.
  private static final int FEWEST_TOKENS = 8192;
  private static final int MOST_PARTITIONS = 64;

  /** The partitions of {@code windows} windows of {@code window} tokens. */
  public static List<SamplePartition> of(int windows, int window) {
    int size =
        Math.max(
            (FEWEST_TOKENS + window - 1) / window,
            (windows + MOST_PARTITIONS - 1) / MOST_PARTITIONS);
    List<SamplePartition> partitions = new ArrayList<>();
    for (int first = 0; first < windows; first += size) {
      partitions.add(
          new SamplePartition(partitions.size(), first, Math.min(size, windows - first)));
    }
    return partitions;
  }
}
