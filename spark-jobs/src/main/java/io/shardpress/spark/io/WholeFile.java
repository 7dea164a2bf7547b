package io.shardpress.spark.io;

import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A file that is there whole or not at all. Closed before {@link #commit} or {@link #replace}, it
 * leaves nothing behind.
 *
 * <p>On a file system it is written under a name of its own attempt and renamed. On an object store
 * that would copy it; there it is written under its own name at once, since nothing is to be seen
 * of an object until the request that ends it. A file system tells which it is: one whose streams
 * can be aborted shows nothing of a file before it is closed, and nothing of one that is aborted.
 */
public final class WholeFile implements AutoCloseable {
  /** S3A then asks neither whether the name is a folder's nor for its parents: one PUT is all. */
  private static final String ONE_REQUEST = "fs.s3a.create.performance";

  private final FileSystem fileSystem;
  private final Path target;
  private final Path attempt;
  private final FSDataOutputStream file;
  private final OutputStream out;
  private boolean done;

  private WholeFile(FileSystem fileSystem, Path target, Path attempt, Traffic traffic)
      throws IOException {
    this.fileSystem = fileSystem;
    this.target = target;
    this.attempt = attempt;
    FSDataOutputStreamBuilder<?, ?> builder =
        fileSystem.createFile(attempt).overwrite(true).recursive();
    builder.opt(ONE_REQUEST, true);
    this.file = (FSDataOutputStream) builder.build();
    this.out = new DiskStream(file, traffic);
  }

  /**
   * Begins a file.
   *
   * @param attempts folder, on the same file system, for the names of attempts
   */
  public static WholeFile create(FileSystem fileSystem, Path target, Path attempts)
      throws IOException {
    return create(fileSystem, target, attempts, Traffic.UNHEARD);
  }

  /**
   * The same for a task.
   *
   * @param traffic hears of what is written
   */
  public static WholeFile create(FileSystem fileSystem, Path target, Path attempts, Traffic traffic)
      throws IOException {
    Path attempt =
        appearsAtClose(fileSystem, target)
            ? target
            : new Path(attempts, "." + target.getName() + "." + UUID.randomUUID());
    return new WholeFile(fileSystem, target, attempt, traffic);
  }

  /** Whether files are to be seen there only once they are closed, as on object stores. */
  public static boolean appearsAtClose(FileSystem fileSystem, Path path) throws IOException {
    return fileSystem.hasPathCapability(path, CommonPathCapabilities.ABORTABLE_STREAM);
  }

  /** Where its bytes go; closed by this class alone. */
  public OutputStream out() {
    return out;
  }

  /** The name that is written to. */
  public Path path() {
    return attempt;
  }

  /** Makes the file visible, unless a twin was faster: it has written the same bytes. */
  public void commit() throws IOException {
    if (direct()) {
      // Readers of the twin's object would find it changed.
      if (!fileSystem.exists(target)) {
        out.close();
        done = true;
      }
      return;
    }
    out.close();
    done = fileSystem.rename(attempt, target);
    if (!done && !fileSystem.exists(target)) {
      throw new IOException("rename to " + target + " failed");
    }
  }

  /** Makes the file visible in place of what has the name. */
  public void replace() throws IOException {
    out.close();
    if (!direct()) {
      fileSystem.delete(target, false);
      if (!fileSystem.rename(attempt, target)) {
        throw new IOException("rename to " + target + " failed");
      }
    }
    done = true;
  }

  private boolean direct() {
    return attempt.equals(target);
  }

  @Override
  public void close() {
    if (done) {
      return;
    }
    done = true;
    try {
      if (direct()) {
        file.abort();
      }
      out.close();
    } catch (IOException e) {
      // What made it fail has been told, or a twin's file stands.
    }
    if (!direct()) {
      discard();
    }
  }

  private void discard() {
    try {
      fileSystem.delete(attempt, false);
    } catch (IOException e) {
      // A leftover of a failed attempt is seen by nobody.
    }
  }
}
