package io.shardpress.spark.unit;

import java.io.Serializable;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * What every task of a run must agree on.
 *
 * @param hadoop the driver's Hadoop settings
 * @param store URI of the part store
 * @param matmul full name of the backend that the driver chose
 */
public record RunSettings(Map<String, String> hadoop, String store, String matmul)
    implements Serializable {
  /** Hadoop's configuration as the driver has it. */
  public Configuration configuration() {
    Configuration configuration = new Configuration(false);
    hadoop.forEach(configuration::set);
    return configuration;
  }
}
