package io.shardpress.spark.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, from what Maven wrote into the jar. */
public final class BuildVersion implements IVersionProvider {
  private static final String RESOURCE =
      "/META-INF/maven/io.shardpress/shardpress-spark-jobs/pom.properties";

  @Override
  public String[] getVersion() {
    return new String[] {"shardpress " + text()};
  }

  /** 0.1.0, or development where the classes come from no jar. */
  public static String text() {
    try (InputStream in = BuildVersion.class.getResourceAsStream(RESOURCE)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "development");
    } catch (IOException e) {
      throw new UncheckedIOException(RESOURCE + " is not readable; build again", e);
    }
  }
}
