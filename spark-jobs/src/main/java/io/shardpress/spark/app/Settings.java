package io.shardpress.spark.app;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.io.Locations;
import io.shardpress.spark.io.ObjectStoreSettings;
import io.shardpress.spark.io.ProcessUser;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.deploy.SparkHadoopUtil;

/** Hadoop's settings for a command, and what it says to people. */
final class Settings {
  private Settings() {}

  /**
   * Hadoop's settings as Spark will have them, without a session.
   *
   * @param uris that the command names; each is looked at first
   */
  static Configuration of(SparkSettings settings, Stream<String> uris) {
    List<String> named = uris.toList();
    named.forEach(Locations::refuseUnusable);
    Configuration configuration =
        SparkHadoopUtil.get().newConfiguration(SparkSessions.conf("", settings));
    ProcessUser.require();
    ObjectStoreSettings.setDefaults(configuration);
    Locations.check(named, configuration);
    return configuration;
  }

  static Stream<String> uris(TextSettings text, Optional<?>... uris) {
    return Stream.concat(
        Arrays.stream(uris).flatMap(Optional::stream).map(String::valueOf), text.uris());
  }

  static Stream<String> uris(Optional<?>... uris) {
    return Arrays.stream(uris).flatMap(Optional::stream).map(String::valueOf);
  }

  /** Says what a command computes with, and warns where something faster is not there. */
  static void sayBackend() {
    System.err.println("computing with " + Matmuls.describe());
    Matmuls.fallback().ifPresent(Settings::warn);
  }

  /** Says what users should know, on stderr. */
  static void warn(String warning) {
    System.err.println("warning: " + warning);
  }
}
