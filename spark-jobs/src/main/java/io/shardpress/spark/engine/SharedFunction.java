package io.shardpress.spark.engine;

import java.io.Serializable;
import org.apache.spark.api.java.function.Function;

/** What an executor does with a task that shares numbers: Spark broadcasts them with it. */
record SharedFunction<S extends Serializable, R extends Serializable>(
    TaskFunction<R> function, S shared) implements Function<SharedTask<S, R>, TaskAnswer<R>> {
  @Override
  public TaskAnswer<R> call(SharedTask<S, R> task) {
    return function.call(new Sharing<>(task, shared));
  }

  /** A task with what it shares. */
  private record Sharing<S extends Serializable, R extends Serializable>(
      SharedTask<S, R> task, S shared) implements ClusterTask<R> {
    @Override
    public String kind() {
      return task.getClass().getSimpleName();
    }

    @Override
    public R run(TaskEnvironment environment) {
      return task.run(shared, environment);
    }
  }
}
