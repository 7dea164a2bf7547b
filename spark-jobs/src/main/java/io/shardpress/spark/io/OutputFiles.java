package io.shardpress.spark.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** File systems as Shardpress writes to them. */
public final class OutputFiles {
  private OutputFiles() {}

  /** The file system of a path; a local one writes no .crc files beside what it is asked to. */
  public static FileSystem of(Path path, Configuration configuration) {
    try {
      FileSystem fileSystem = path.getFileSystem(configuration);
      if (fileSystem instanceof LocalFileSystem local) {
        local.setWriteChecksum(false);
      }
      return fileSystem;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": no such file system: " + e.getMessage(), e);
    }
  }
}
