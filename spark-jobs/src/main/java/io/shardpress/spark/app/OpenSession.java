package io.shardpress.spark.app;

import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * A Spark session in use. Closing it stops Spark only where we started it: a session of the
 * caller's stays as it was.
 */
public final class OpenSession implements AutoCloseable {
  private final SparkSession session;
  private final boolean ours;

  OpenSession(SparkSession session, boolean ours) {
    this.session = session;
    this.ours = ours;
  }

  public SparkSession session() {
    return session;
  }

  public JavaSparkContext context() {
    return new JavaSparkContext(session.sparkContext());
  }

  @Override
  public void close() {
    if (ours) {
      session.stop();
    }
  }
}
