package io.shardpress.spark.app.options;

import java.util.Map;
import java.util.Optional;

/**
 * Where Spark runs.
 *
 * @param master empty: spark-submit's, or else local[*]
 * @param conf Spark properties by name; they win over spark-submit's
 */
public record SparkSettings(Optional<String> master, Map<String, String> conf) {
  public SparkSettings {
    conf = Map.copyOf(conf);
  }
}
