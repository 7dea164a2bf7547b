package io.shardpress.spark.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Gives Spark jobs of the calling thread a group and a description. Behind them it has again what
 * the caller had: a run may be a part of somebody's own application.
 */
final class JobGroup {
  // As Spark names them.
  static final String ID = "spark.jobGroup.id";
  static final String DESCRIPTION = "spark.job.description";
  static final String INTERRUPTS = "spark.job.interruptOnCancel";

  private final JavaSparkContext spark;
  private final Map<String, String> before = new LinkedHashMap<>();

  private JobGroup(JavaSparkContext spark) {
    this.spark = spark;
  }

  /** Runs {@code jobs}, and gives what they give. */
  static <T> T within(JavaSparkContext spark, String id, String description, Supplier<T> jobs) {
    JobGroup group = new JobGroup(spark);
    try {
      group.set(ID, id);
      group.set(DESCRIPTION, description);
      // Tasks ask whether they are to end. An interrupt in the middle of a read or write would make
      // HDFS take the data node at the other end for a bad one.
      group.set(INTERRUPTS, "false");
      return jobs.get();
    } finally {
      group.before.forEach(spark::setLocalProperty);
    }
  }

  private void set(String property, String value) {
    before.put(property, spark.getLocalProperty(property));
    spark.setLocalProperty(property, value);
  }
}
