package io.shardpress.spark.engine;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmuls;
import java.io.Serializable;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * What every task of a run must agree on.
 *
 * @param hadoop the driver's Hadoop settings
 * @param store URI of the part store
 * @param matmul full name of the backend that the driver chose
 * @param loops name of the loops that it chose
 */
public record RunSettings(Map<String, String> hadoop, String store, String matmul, String loops)
    implements Serializable {
  /** The settings of a run whose driver is this process. */
  public static RunSettings ofThisProcess(Map<String, String> hadoop, String store) {
    return new RunSettings(hadoop, store, Matmuls.chosen().name(), Loops.chosen().name());
  }

  /** What results depend on, in one line: part of every part's name. */
  public String arithmetic() {
    return matmul + " " + loops;
  }

  /**
   * Without Hadoop's settings: there are credentials among them, and Spark prints what it cannot
   * send.
   */
  @Override
  public String toString() {
    return "RunSettings[store=%s, matmul=%s, loops=%s]".formatted(store, matmul, loops);
  }

  /** Hadoop's configuration as the driver has it. */
  public Configuration configuration() {
    Configuration configuration = new Configuration(false);
    hadoop.forEach(configuration::set);
    return configuration;
  }
}
