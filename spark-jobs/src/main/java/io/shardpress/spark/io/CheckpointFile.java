package io.shardpress.spark.io;

import java.io.Serializable;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileStatus;

/**
 * A file of a checkpoint.
 *
 * @param name inside the checkpoint's folder
 * @param uri of the file
 * @param length in bytes
 * @param modificationTime in milliseconds since 1970, as the file system gives it
 * @param etag what an object store calls this content; empty where there is none
 */
public record CheckpointFile(
    String name, String uri, long length, long modificationTime, String etag)
    implements Serializable {
  /** The file that a status is of. */
  public static CheckpointFile of(FileStatus status) {
    String etag = status instanceof EtagSource source ? source.getEtag() : null;
    return new CheckpointFile(
        status.getPath().getName(),
        status.getPath().toString(),
        status.getLen(),
        status.getModificationTime(),
        etag == null ? "" : etag);
  }
}
