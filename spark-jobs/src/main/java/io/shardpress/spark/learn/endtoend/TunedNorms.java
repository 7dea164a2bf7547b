package io.shardpress.spark.learn.endtoend;

import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.HeaderReader;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.StoredShard;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;

/** Finds tuned norms in the store. */
final class TunedNorms {
  private TunedNorms() {}

  /**
   * Where they lie, by the tensor's name; each shard is held against its checksum.
   *
   * @throws io.shardpress.spark.store.PartException where one is not what was written
   */
  static Map<String, TensorRef> read(StepRunner runner, List<TunedNormsStep> steps) {
    Map<String, TensorRef> norms = new HashMap<>();
    for (TunedNormsStep step : steps) {
      try (PartReader reader = runner.store().read(step.part())) {
        StoredShard.check(runner.store(), step.part(), reader.note(TunedNormsStep.CHECKSUM));
      }
      Path path = new Path(StoredShard.uri(runner.store(), step.part()));
      try {
        CheckpointFile file =
            CheckpointFile.of(path.getFileSystem(runner.configuration()).getFileStatus(path));
        // The part's name stands for all that its content follows from.
        HeaderReader.read(file, runner.configuration())
            .forEach(tensor -> norms.put(tensor.tensor(), tensor.withContent(step.part().hex())));
      } catch (IOException e) {
        throw new UncheckedIOException(path + ": cannot read: " + e.getMessage(), e);
      }
    }
    return norms;
  }
}
