package io.shardpress.spark.publish;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.spark.io.FileSystems;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The folder that a run writes to. It belongs to the run whose id stands in .shardpress/run until
 * the manifest is there.
 */
public final class OutputFolder {
  /** What a run keeps here until it is published. */
  public static final String WORK = ".shardpress";

  private static final String RUN_ID = WORK + "/run";

  private final Path path;
  private final FileSystem fileSystem;

  public OutputFolder(String uri, Configuration configuration) {
    fileSystem = FileSystems.of(new Path(uri), configuration);
    path = fileSystem.makeQualified(new Path(uri));
  }

  public String uri() {
    return path.toString();
  }

  /**
   * Takes the folder for a run.
   *
   * @param overwrite remove a finished checkpoint of ours first
   * @return whether an unfinished run with this id left something here
   * @throws CheckpointException where it holds anything else
   */
  public boolean claim(String runId, boolean overwrite) {
    try {
      if (exists(Manifest.FILE_NAME)) {
        if (!overwrite) {
          throw new CheckpointException(
              uri() + ": found a finished checkpoint; choose another folder, or use --overwrite");
        }
        remove();
      }
      boolean resumed = exists(RUN_ID);
      if (resumed) {
        String found = new String(read(RUN_ID), StandardCharsets.UTF_8).strip();
        if (!found.equals(runId)) {
          throw new CheckpointException(
              ("%s: found an unfinished run %s, wanted an empty folder or run %s; model, recipe or"
                      + " text are not the same: choose another folder, or remove this one")
                  .formatted(uri(), found, runId));
        }
      } else if (!empty()) {
        throw new CheckpointException(
            uri()
                + ": found files that are no checkpoint of ours, wanted an empty folder; choose"
                + " another one");
      }
      write(RUN_ID, (runId + "\n").getBytes(StandardCharsets.UTF_8));
      return resumed;
    } catch (IOException e) {
      throw new UncheckedIOException(uri() + ": cannot use as output: " + e.getMessage(), e);
    }
  }

  private boolean empty() throws IOException {
    try {
      return fileSystem.listStatus(path).length == 0;
    } catch (FileNotFoundException e) {
      return true;
    }
  }

  /** Removes a finished checkpoint; the manifest first, since without it there is none. */
  private void remove() throws IOException {
    Manifest manifest = manifest();
    fileSystem.delete(new Path(path, Manifest.FILE_NAME), false);
    for (PublishedFile file : manifest.files()) {
      fileSystem.delete(new Path(path, file.path()), false);
    }
    for (String folder : new String[] {"report", "runs", WORK}) {
      fileSystem.delete(new Path(path, folder), true);
    }
  }

  /** The manifest of a finished checkpoint. */
  public Manifest manifest() {
    try {
      String file = new Path(path, Manifest.FILE_NAME).toString();
      return Manifest.parse(file, new String(read(Manifest.FILE_NAME), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          uri() + ": found no " + Manifest.FILE_NAME + ", so there is no finished checkpoint here",
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(uri() + ": cannot read: " + e.getMessage(), e);
    }
  }

  /** Writes a small file. */
  public PublishedFile write(String name, byte[] bytes) {
    Path file = new Path(path, name);
    try (HashingStream out = new HashingStream(create(file))) {
      out.write(bytes);
      out.flush();
      return new PublishedFile(name, out.bytes(), HexFormat.of().formatHex(out.sha256()));
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot write: " + e.getMessage(), e);
    }
  }

  /** Writes a small file in such a way that it is there whole or not at all. */
  public void publish(String name, byte[] bytes) {
    Path attempt = new Path(path, WORK + "/" + name);
    write(WORK + "/" + name, bytes);
    try {
      if (!fileSystem.rename(attempt, new Path(path, name))) {
        throw new IOException("rename from " + attempt + " failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(new Path(path, name) + ": cannot write: " + e.getMessage(), e);
    }
  }

  /** Forgets what the run kept here. */
  public void removeWork() {
    try {
      fileSystem.delete(new Path(path, WORK), true);
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot remove " + WORK + ": " + e.getMessage(), e);
    }
  }

  private OutputStream create(Path file) throws IOException {
    return fileSystem.create(file, true);
  }

  private boolean exists(String name) throws IOException {
    return fileSystem.exists(new Path(path, name));
  }

  private byte[] read(String name) throws IOException {
    Path file = new Path(path, name);
    FileStatus status = fileSystem.getFileStatus(file);
    byte[] bytes = new byte[Math.toIntExact(status.getLen())];
    try (FSDataInputStream in = fileSystem.open(file)) {
      in.readFully(0, bytes);
    }
    return bytes;
  }
}
