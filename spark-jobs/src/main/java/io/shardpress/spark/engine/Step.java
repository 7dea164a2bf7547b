package io.shardpress.spark.engine;

import io.shardpress.spark.store.PartKey;
import java.io.Serializable;
import java.util.List;

/** The work of one task. It crosses to the executor as a descriptor, its results lie in parts. */
public interface Step extends Serializable {
  /** The parts that it writes; where all are there, it need not run. */
  List<PartKey> parts();

  /** Does the work. */
  void run(TaskEnvironment environment);
}
