package io.shardpress.spark.io;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** Hadoop's settings of s3a as Shardpress wants them where nobody has set them. */
public final class ObjectStoreSettings {
  static final String S3A_CLASS = "org.apache.hadoop.fs.s3a.S3AFileSystem";

  private static final String HADOOPS_OWN = "core-default.xml";

  private static final Map<String, String> DEFAULTS =
      Map.of(
          // Reads ranges as they are asked for, and tries again where a connection breaks.
          "fs.s3a.input.stream.type", "classic",
          // An address that does not answer is given up after 15 s, the least that S3A takes, not
          // 30.
          "fs.s3a.connection.establish.timeout", "15s");

  private ObjectStoreSettings() {}

  /** Sets what has only Hadoop's own default, or none. */
  public static void setDefaults(Configuration configuration) {
    DEFAULTS.forEach(
        (key, value) -> {
          if (unset(configuration, key)) {
            configuration.set(key, value, "shardpress");
          }
        });
    for (String scheme : List.of("s3", "s3n")) {
      if (!installed(scheme, configuration) && installed("s3a", configuration)) {
        configuration.set("fs." + scheme + ".impl", S3A_CLASS, "shardpress");
      }
    }
  }

  /** EMR has a file system of its own for s3://; elsewhere it is another word for s3a://. */
  private static boolean installed(String scheme, Configuration configuration) {
    try {
      FileSystem.getFileSystemClass(scheme, configuration);
      return true;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  private static boolean unset(Configuration configuration, String key) {
    if (configuration.get(key) == null) {
      return true;
    }
    String[] sources = configuration.getPropertySources(key);
    return sources != null && sources.length == 1 && sources[0].equals(HADOOPS_OWN);
  }

  /**
   * The same for a first look, which is to fail soon: where a store does not answer at all, a run
   * that has just begun need not wait for it.
   */
  static Configuration impatient(Configuration configuration) {
    Configuration impatient = new Configuration(configuration);
    impatient.set("fs.s3a.attempts.maximum", "1");
    impatient.set("fs.s3a.retry.limit", "1");
    impatient.set("fs.s3a.retry.interval", "200ms");
    // Asks once whether the bucket is there.
    impatient.set("fs.s3a.bucket.probe", "2");
    return impatient;
  }
}
