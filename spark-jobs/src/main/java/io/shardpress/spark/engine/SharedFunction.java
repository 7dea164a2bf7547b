package io.shardpress.spark.engine;

import java.io.Serializable;
import org.apache.spark.api.java.function.Function;

/** What an executor does with a task that shares numbers: Spark broadcasts them with it. */
record SharedFunction<S extends Serializable, R extends Serializable>(
    TaskFunction<R> function, S shared) implements Function<SharedTask<S, R>, TaskAnswer<R>> {
  @Override
  public TaskAnswer<R> call(SharedTask<S, R> task) {
    return function.call(environment -> task.run(shared, environment));
  }
}
