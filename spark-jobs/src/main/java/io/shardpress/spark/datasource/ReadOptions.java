package io.shardpress.spark.datasource;

import io.shardpress.schemas.UsageException;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.SparkSession;

/**
 * What the reader was asked for.
 *
 * @param path URI of the checkpoint
 * @param tileBytes the most that a tile holds, unless one row is more
 * @param fileSystem options that begin with fs., for Hadoop
 */
record ReadOptions(String path, long tileBytes, Map<String, String> fileSystem) {
  private static final String DEFAULT_TILE = "16m";
  private static final long MIN_TILE_BYTES = 4L << 10;
  private static final long MAX_TILE_BYTES = 64L << 20;

  static ReadOptions of(Map<String, String> properties) {
    Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    byName.putAll(properties);
    String path = byName.get("path");
    if (path == null) {
      throw new UsageException("safetensors: wanted one path: .load(\"URI of a checkpoint\")");
    }
    Map<String, String> fileSystem = new TreeMap<>();
    properties.forEach(
        (key, value) -> {
          if (key.startsWith("fs.")) {
            fileSystem.put(key, value);
          }
        });
    return new ReadOptions(path, tileBytes(byName), fileSystem);
  }

  private static long tileBytes(Map<String, String> options) {
    String text = options.getOrDefault("tileBytes", DEFAULT_TILE);
    long bytes;
    try {
      bytes = JavaUtils.byteStringAsBytes(text);
    } catch (NumberFormatException e) {
      throw new UsageException("safetensors: tileBytes: found " + text + ", wanted such as 16m", e);
    }
    if (bytes < MIN_TILE_BYTES || bytes > MAX_TILE_BYTES) {
      throw new UsageException("safetensors: tileBytes: found " + text + ", wanted 4k … 64m");
    }
    return bytes;
  }

  /** Without the values of Hadoop's options: there may be credentials among them. */
  @Override
  public String toString() {
    return "ReadOptions[%s, %d, %s]".formatted(path, tileBytes, fileSystem.keySet());
  }

  /** The session's Hadoop configuration with these options over it. */
  Configuration configuration() {
    Configuration configuration =
        new Configuration(SparkSession.active().sparkContext().hadoopConfiguration());
    fileSystem.forEach(configuration::set);
    return configuration;
  }
}
