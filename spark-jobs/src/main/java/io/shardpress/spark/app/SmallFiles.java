package io.shardpress.spark.app;

import io.shardpress.schemas.CheckpointException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Reads recipes. */
final class SmallFiles {
  private static final int MOST_BYTES = 1 << 20;

  private SmallFiles() {}

  static String text(String uri, Configuration configuration) {
    Path path = new Path(uri);
    try (InputStream in = path.getFileSystem(configuration).open(path)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new CheckpointException(uri + ": found more than 1 MiB, wanted a recipe");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw new CheckpointException(uri + ": no such file", e);
    } catch (IOException e) {
      throw new UncheckedIOException(uri + ": cannot read: " + e.getMessage(), e);
    }
  }
}
