package io.shardpress.spark.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** Folders on the file systems of tests. */
final class Folders {
  private Folders() {}

  /** Copies the files of a local folder to any file system, by Hadoop's own means. */
  static void copy(Path folder, String uri, Configuration configuration) throws IOException {
    org.apache.hadoop.fs.Path target = new org.apache.hadoop.fs.Path(uri);
    FileSystem to = target.getFileSystem(configuration);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        to.copyFromLocalFile(
            new org.apache.hadoop.fs.Path(file.toUri()),
            new org.apache.hadoop.fs.Path(target, file.getFileName().toString()));
      }
    }
  }
}
