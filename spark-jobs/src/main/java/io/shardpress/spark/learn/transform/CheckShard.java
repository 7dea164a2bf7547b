package io.shardpress.spark.learn.transform;

import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.StoredShard;

/**
 * Reads weights that an earlier run left in the store once, before they are taken for what that run
 * wrote: by ranges, as units read them, no checksum would be seen.
 */
public record CheckShard(PartKey part) implements ClusterTask<Boolean> {
  @Override
  public Boolean run(TaskEnvironment environment) {
    try (PartReader reader = environment.store().read(part)) {
      StoredShard.check(environment.store(), part, reader.note(FoldedBlock.CHECKSUM));
    }
    return true;
  }
}
