package io.shardpress.spark.output;

import java.util.List;

/** What of this package crosses Spark. */
public final class PublishClasses {
  public static final List<Class<?>> ALL = List.of(PublishTask.class);

  private PublishClasses() {}
}
