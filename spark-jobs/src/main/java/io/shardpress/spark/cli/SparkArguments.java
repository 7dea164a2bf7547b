package io.shardpress.spark.cli;

import io.shardpress.spark.app.options.SparkSettings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options about Spark, in every command. */
final class SparkArguments {
  static final String CONF = "--conf";

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark master; default: spark-submit's, or else local[*].")
  private String master;

  @Option(
      names = CONF,
      paramLabel = "KEY=VALUE",
      description = "A Spark property; may be repeated.")
  private final Map<String, String> conf = new LinkedHashMap<>();

  SparkSettings settings() {
    return new SparkSettings(Optional.ofNullable(master), conf);
  }
}
