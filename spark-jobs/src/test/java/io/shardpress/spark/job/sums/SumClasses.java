package io.shardpress.spark.job.sums;

import io.shardpress.spark.engine.CrossingClasses;
import java.util.List;

/** What of this job crosses Spark. */
public final class SumClasses implements CrossingClasses {
  @Override
  public List<Class<?>> roots() {
    return List.of(SumStep.class, SumSource.class);
  }
}
