package io.shardpress.spark.engine;

import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** A real Spark in the tests' JVM, with executors' work done by its own threads. */
public final class LocalSpark {
  private LocalSpark() {}

  /** One with that many cores. */
  public static JavaSparkContext open(int cores) {
    return open(cores, Map.of());
  }

  /** The same with settings of its own. */
  public static JavaSparkContext open(int cores, Map<String, String> settings) {
    SparkConf conf =
        new SparkConf()
            .setMaster("local[" + cores + "]")
            .setAppName("test")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1")
            .set("spark.driver.bindAddress", "127.0.0.1");
    settings.forEach(conf::set);
    return new JavaSparkContext(conf);
  }
}
