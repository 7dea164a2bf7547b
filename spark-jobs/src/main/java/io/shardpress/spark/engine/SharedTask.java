package io.shardpress.spark.engine;

import java.io.Serializable;

/**
 * One of several tasks that need the same numbers, which cross Spark once for all of them.
 *
 * @param <S> what they share
 */
public interface SharedTask<S extends Serializable, R extends Serializable> extends Serializable {
  /** Does the work; {@code shared} is not to be changed. */
  R run(S shared, TaskEnvironment environment);
}
