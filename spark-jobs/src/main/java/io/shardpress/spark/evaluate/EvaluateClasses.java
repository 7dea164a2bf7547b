package io.shardpress.spark.evaluate;

import java.util.List;

/** What of this package crosses Spark. */
public final class EvaluateClasses {
  public static final List<Class<?>> ALL = List.of(EvaluateTask.class);

  private EvaluateClasses() {}
}
