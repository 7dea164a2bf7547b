package io.shardpress.spark.text;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.spark.io.Locations;
import io.shardpress.spark.io.StorageFault;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The documents of a text, one after the other: lines of .jsonl, rows of .parquet, or a whole .txt.
 * A folder gives its files in the order of their names. Blank documents are left out. Nothing is
 * read before it is asked for.
 */
public interface Documents extends Iterator<String>, Closeable {
  /** The column or key that holds the text where nothing else is said. */
  String DEFAULT_FIELD = "text";

  /** Where the next document comes from, for messages. */
  String source();

  /** Whether the last document has its special tokens written out, by a chat template. */
  boolean templated();

  /** Rows without text that were left out so far: null, empty or spaces alone. */
  long skipped();

  /**
   * Opens a file or a folder on any Hadoop file system.
   *
   * @param field the key (.jsonl) or column (.parquet) that holds the text
   * @throws CheckpointException where there is nothing to read
   * @throws UsageException for a kind of file that is none of the three
   */
  static Documents open(Path path, String field, Configuration conf) {
    return open(path, field, ChatRows.NONE, conf);
  }

  /** The same with a model's chats. */
  static Documents open(Path path, String field, ChatRows chats, Configuration conf) {
    try {
      FileSystem fileSystem = path.getFileSystem(conf);
      if (!fileSystem.exists(path)) {
        throw new CheckpointException(
            "text " + path + " does not exist" + Locations.hint(path.getName()));
      }
      return new ChainedDocuments(path.toString(), files(fileSystem, path), field, chats, conf);
    } catch (IOException e) {
      throw new CheckpointException(
          "text " + path + ": not readable: " + StorageFault.reason(e), e);
    }
  }

  private static List<Path> files(FileSystem fileSystem, Path path) throws IOException {
    FileStatus status = fileSystem.getFileStatus(path);
    if (!status.isDirectory()) {
      return List.of(path);
    }
    List<Path> files =
        Arrays.stream(fileSystem.listStatus(path))
            .filter(FileStatus::isFile)
            .map(FileStatus::getPath)
            .filter(file -> !file.getName().matches("[_.].*|.*_\\$folder\\$"))
            .sorted()
            .toList();
    if (files.isEmpty()) {
      throw new CheckpointException("text " + path + " is a folder without files");
    }
    return files;
  }
}
