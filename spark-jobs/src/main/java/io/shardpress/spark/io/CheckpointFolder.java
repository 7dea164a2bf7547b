package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The plain files of a folder, or a single file by itself. */
final class CheckpointFolder {
  /** Index and config files are some MB at most; more is something else. */
  private static final long MAX_JSON_BYTES = 256L << 20;

  private final String uri;
  private final Configuration configuration;
  private final SortedMap<String, CheckpointFile> files = new TreeMap<>();

  CheckpointFolder(String modelUri, Configuration configuration) {
    this.configuration = configuration;
    Locations.refuseCredentials(modelUri);
    try {
      Path path = new Path(modelUri);
      FileSystem fileSystem = path.getFileSystem(configuration);
      Path qualified = fileSystem.makeQualified(path);
      this.uri = qualified.toString();
      for (FileStatus status : fileSystem.listStatus(qualified)) {
        if (status.isFile()) {
          files.put(status.getPath().getName(), CheckpointFile.of(status));
        }
      }
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          modelUri + ": no such folder; wanted one with *.safetensors and config.json", e);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(modelUri + ": not a URI of a folder: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(modelUri + ": cannot list: " + e.getMessage(), e);
    }
  }

  String uri() {
    return uri;
  }

  Configuration configuration() {
    return configuration;
  }

  Map<String, CheckpointFile> files() {
    return files;
  }

  /** A whole small file. */
  byte[] json(CheckpointFile file) {
    if (file.length() > MAX_JSON_BYTES) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found %d bytes, wanted at most %d of JSON",
              file.uri(),
              file.length(),
              MAX_JSON_BYTES));
    }
    byte[] bytes = new byte[(int) file.length()];
    try (RangedFile in = RangedFile.open(file.uri(), configuration)) {
      in.read(0, bytes, 0, bytes.length);
    }
    return bytes;
  }
}
