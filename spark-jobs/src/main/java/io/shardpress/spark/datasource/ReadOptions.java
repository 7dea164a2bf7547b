package io.shardpress.spark.datasource;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.io.Checkpoint;
import java.util.List;
import java.util.Locale;
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
 * @param dequantize whether a quantized checkpoint is read as the dense one that it stands for
 * @param fileSystem options that begin with fs., for Hadoop
 */
record ReadOptions(
    String path, long tileBytes, boolean dequantize, Map<String, String> fileSystem) {
  static final String DEQUANTIZE = "dequantize";

  private static final String DEFAULT_TILE = "16m";
  private static final long MIN_TILE_BYTES = 4L << 10;
  private static final long MAX_TILE_BYTES = 64L << 20;

  static ReadOptions of(Map<String, String> properties) {
    return of(properties, Map.of());
  }

  /**
   * A table's options with those of a query over them.
   *
   * @param query stands before {@code table}
   */
  static ReadOptions of(Map<String, String> table, Map<String, String> query) {
    Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    byName.putAll(table);
    byName.putAll(query);
    String path = byName.get("path");
    if (path == null) {
      throw new UsageException("safetensors: wanted one path: .load(\"URI of a checkpoint\")");
    }
    Map<String, String> fileSystem = new TreeMap<>();
    for (Map<String, String> options : List.of(table, query)) {
      options.forEach(
          (key, value) -> {
            if (key.startsWith("fs.")) {
              fileSystem.put(key, value);
            }
          });
    }
    return new ReadOptions(path, tileBytes(byName), dequantize(byName), fileSystem);
  }

  private static boolean dequantize(Map<String, String> options) {
    String text = options.getOrDefault(DEQUANTIZE, "false");
    if (!text.equals("true") && !text.equals("false")) {
      throw new UsageException("safetensors: dequantize: found " + text + ", wanted true or false");
    }
    return text.equals("true");
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
    return String.format(
        Locale.ROOT,
        "ReadOptions[%s, %d, %b, %s]",
        path,
        tileBytes,
        dequantize,
        fileSystem.keySet());
  }

  /** The checkpoint, as it is to be read. */
  Checkpoint checkpoint() {
    Checkpoint checkpoint = Checkpoint.open(path, configuration());
    return dequantize ? QuantizedFolder.dequantized(checkpoint) : checkpoint;
  }

  /** The session's Hadoop configuration with these options over it. */
  Configuration configuration() {
    Configuration configuration =
        new Configuration(SparkSession.active().sparkContext().hadoopConfiguration());
    fileSystem.forEach(configuration::set);
    return configuration;
  }
}
