package io.shardpress.spark.engine;

import io.shardpress.spark.store.PartKey;
import java.util.List;

/** The work of one task. It crosses to the executor as a descriptor, its results lie in parts. */
public interface Step extends Derivation {
  /** The parts that it writes; where all are in the store, it need not run. */
  default List<PartKey> parts() {
    return List.of(part());
  }

  /** What it mostly reads; cheap to say. */
  default Reads reads() {
    return Reads.NOTHING;
  }

  /** Does the work. */
  void run(TaskEnvironment environment);
}
