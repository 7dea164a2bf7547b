package io.shardpress.spark.engine;

import java.io.Serializable;

/** Something that runs in a task and answers with a few numbers or names, never with weights. */
public interface ClusterTask<R extends Serializable> extends Serializable {
  /** What kind of work it is, for metrics and logs. */
  default String kind() {
    return getClass().getSimpleName();
  }

  /** What it mostly reads; cheap to say. */
  default Reads reads() {
    return Reads.NOTHING;
  }

  /** Does the work. */
  R run(TaskEnvironment environment);
}
