package io.shardpress.spark.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Gives the calling thread's Spark jobs a group and a description, until it is closed; then they
 * are again what the caller had: a run may be a part of somebody's own application.
 */
final class JobGroup implements AutoCloseable {
  // As Spark names them.
  static final String ID = "spark.jobGroup.id";
  static final String DESCRIPTION = "spark.job.description";
  static final String INTERRUPTS = "spark.job.interruptOnCancel";

  private final JavaSparkContext spark;
  private final Map<String, String> before = new LinkedHashMap<>();

  private JobGroup(JavaSparkContext spark) {
    this.spark = spark;
  }

  static JobGroup enter(JavaSparkContext spark, String id, String description) {
    JobGroup group = new JobGroup(spark);
    group.set(ID, id);
    group.set(DESCRIPTION, description);
    // Tasks ask whether they are to end. An interrupt in the middle of a read or write would make
    // HDFS take the data node at the other end for a bad one.
    group.set(INTERRUPTS, "false");
    return group;
  }

  private void set(String property, String value) {
    before.put(property, spark.getLocalProperty(property));
    spark.setLocalProperty(property, value);
  }

  /** Puts back what was set before, nothing where nothing was. */
  @Override
  public void close() {
    before.forEach(spark::setLocalProperty);
  }
}
