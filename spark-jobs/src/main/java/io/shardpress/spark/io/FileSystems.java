package io.shardpress.spark.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** File systems as Shardpress uses them. */
public final class FileSystems {
  private FileSystems() {}

  /**
   * The file system of a path. A local one is the bare one: no .crc files beside what is written,
   * and no process started to set the permissions of each.
   */
  public static FileSystem of(Path path, Configuration configuration) {
    try {
      FileSystem fileSystem = path.getFileSystem(configuration);
      return fileSystem instanceof LocalFileSystem local ? local.getRawFileSystem() : fileSystem;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": no such file system: " + e.getMessage(), e);
    }
  }
}
