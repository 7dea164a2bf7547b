package io.shardpress.spark.output;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.spark.io.DiskStream;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Lease;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.WholeFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The folder that a run writes to. It belongs to the run whose id stands in .shardpress/run until
 * the manifest is there.
 */
public final class OutputFolder implements AutoCloseable {
  /** What a run keeps here until it is published. */
  public static final String WORK = ".shardpress";

  /** Shards that are whole and have no place beside a checkpoint yet. */
  private static final String SHARDS = WORK + "/shards";

  private static final String RUN_ID = WORK + "/run";

  /** The manifest of the checkpoint that is being replaced. */
  private static final String REPLACED = WORK + "/replaced.json";

  private static final String LOCK = "lock";

  private final Path path;
  private final FileSystem fileSystem;
  private final Configuration configuration;
  private Lease lease;

  public OutputFolder(String uri, Configuration configuration) {
    this.configuration = configuration;
    fileSystem = FileSystems.of(new Path(uri), configuration);
    path = fileSystem.makeQualified(new Path(uri));
  }

  public String uri() {
    return path.toString();
  }

  /**
   * Takes the folder for a run. A finished checkpoint stays as it is until {@link #clear}.
   *
   * @param overwrite accept a finished checkpoint of ours
   * @return whether an unfinished run with this id left something here
   * @throws CheckpointException where it holds anything else, or another run is at work in it
   */
  public boolean claim(String runId, boolean overwrite) {
    try {
      // First without a trace: a folder of somebody else's stays as it is.
      resumes(runId, overwrite);
      lease = Lease.take(new Path(path, WORK + "/" + LOCK), uri(), configuration);
      boolean resumed = resumes(runId, overwrite);
      if (!resumed) {
        // What a run that would have replaced the checkpoint left; --overwrite covers it too.
        clearWork();
      }
      write(RUN_ID, (runId + "\n").getBytes(StandardCharsets.UTF_8));
      return resumed;
    } catch (IOException e) {
      close();
      throw StorageFault.of(uri(), "cannot use as output", e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Whether there is something of this run; changes nothing. */
  private boolean resumes(String runId, boolean overwrite) throws IOException {
    boolean finished = exists(Manifest.FILE_NAME);
    if (finished && !overwrite) {
      throw new CheckpointException(
          uri() + ": found a finished checkpoint; choose another folder, or use --overwrite");
    }
    boolean resumed = exists(RUN_ID) && sameRun(runId, finished);
    if (finished) {
      requireNoStrangers();
    } else if (!resumed) {
      requireEmpty();
    }
    return resumed;
  }

  private boolean sameRun(String runId, boolean finished) throws IOException {
    String found = new String(read(RUN_ID), StandardCharsets.UTF_8).strip();
    if (found.equals(runId) || finished) {
      return found.equals(runId);
    }
    throw new CheckpointException(
        ("%s: found an unfinished run %s, wanted an empty folder or run %s; model, recipe,"
                + " formats or text are not the same: choose another folder, or remove this one")
            .formatted(uri(), found, runId));
  }

  private void clearWork() throws IOException {
    for (FileStatus status : fileSystem.listStatus(new Path(path, WORK))) {
      if (!status.getPath().getName().startsWith(LOCK)) {
        fileSystem.delete(status.getPath(), true);
      }
    }
  }

  /**
   * Stops a run that has lost the folder to another.
   *
   * @throws CheckpointException in that case
   */
  public void requireOwner() {
    if (lease != null) {
      lease.check();
    }
  }

  /** Lets other runs take the folder. */
  @Override
  public void close() {
    if (lease != null) {
      lease.close();
      lease = null;
    }
  }

  private void requireEmpty() throws IOException {
    FileStatus[] found;
    try {
      if (fileSystem.getFileStatus(path).isFile()) {
        throw new CheckpointException(
            uri() + ": a file stands where a folder is wanted; choose another name");
      }
      found = fileSystem.listStatus(path);
    } catch (FileNotFoundException e) {
      return;
    }
    for (FileStatus status : found) {
      if (!onlyLocked(status)) {
        throw new CheckpointException(
            "%s: found %s and no manifest of ours, wanted an empty folder; choose another one"
                .formatted(uri(), status.getPath().getName()));
      }
    }
  }

  /** Whether that is what a run leaves that was killed as it had just taken the folder. */
  private boolean onlyLocked(FileStatus status) throws IOException {
    if (!status.isDirectory() || !status.getPath().getName().equals(WORK)) {
      return false;
    }
    for (FileStatus inside : fileSystem.listStatus(status.getPath())) {
      if (!inside.getPath().getName().startsWith(LOCK)) {
        return false;
      }
    }
    return true;
  }

  /** A checkpoint is replaced only where nobody has put files of his own beside it. */
  private void requireNoStrangers() throws IOException {
    Set<String> known = new HashSet<>(List.of(Manifest.FILE_NAME, WORK));
    manifest().files().forEach(file -> known.add(file.path().replaceFirst("/.*", "")));
    for (FileStatus status : fileSystem.listStatus(path)) {
      if (!known.contains(status.getPath().getName())) {
        throw new CheckpointException(
            "%s: found %s, which the manifest does not know, so --overwrite does not replace this folder; move the file away, or choose another folder"
                .formatted(uri(), status.getPath().getName()));
      }
    }
  }

  /**
   * Removes the checkpoint that is to be replaced, if there is one: first its manifest, without
   * which there is none, and then the files that it names. Goes on where it was interrupted.
   */
  public void clear() {
    requireOwner();
    try {
      Path replaced = new Path(path, REPLACED);
      if (exists(Manifest.FILE_NAME)) {
        manifest();
        // Not renamed, since object stores have no rename; interrupted here, it begins again.
        write(REPLACED, read(Manifest.FILE_NAME));
        fileSystem.delete(new Path(path, Manifest.FILE_NAME), false);
      }
      if (exists(REPLACED)) {
        for (PublishedFile file : manifest(REPLACED).files()) {
          fileSystem.delete(new Path(path, file.path()), false);
        }
        fileSystem.delete(replaced, false);
      }
    } catch (IOException e) {
      throw StorageFault.of(uri(), "cannot replace", e);
    }
  }

  /** The manifest of a finished checkpoint. */
  public Manifest manifest() {
    return manifest(Manifest.FILE_NAME);
  }

  private Manifest manifest(String name) {
    try {
      String file = new Path(path, name).toString();
      return Manifest.parse(file, new String(read(name), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          uri() + ": found no " + Manifest.FILE_NAME + ", so there is no finished checkpoint here",
          e);
    } catch (IOException e) {
      throw StorageFault.of(uri(), "cannot read", e);
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
      throw StorageFault.of(file.toString(), "cannot write", e);
    }
  }

  /** Writes a small file in such a way that it is there whole or not at all. */
  public void publish(String name, byte[] bytes) {
    requireOwner();
    Path target = new Path(path, name);
    try (WholeFile file = WholeFile.create(fileSystem, target, new Path(path, WORK))) {
      file.out().write(bytes);
      file.replace();
    } catch (IOException e) {
      throw StorageFault.of(target.toString(), "cannot write", e);
    }
  }

  /** Whether a whole file can be given its own name after it was written, and so after a check. */
  public boolean renames() {
    try {
      return !WholeFile.appearsAtClose(fileSystem, path);
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot look up", e);
    }
  }

  /** The name that a file of an output folder has until all of them are whole. */
  static Path waiting(String output, String name) {
    return new Path(output, SHARDS + "/" + name);
  }

  /** Whether a file waits for its name, or has it, in that length. */
  public boolean isThere(String name, long length) {
    try {
      Path waiting = waiting(uri(), name);
      Path file = fileSystem.exists(waiting) ? waiting : new Path(path, name);
      return fileSystem.exists(file) && fileSystem.getFileStatus(file).getLen() == length;
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot look up", e);
    }
  }

  /** Gives a file its own name, unless it has it already. */
  public void place(String name) {
    requireOwner();
    Path target = new Path(path, name);
    try {
      Path waiting = waiting(uri(), name);
      if (!fileSystem.exists(waiting)) {
        return;
      }
      fileSystem.delete(target, false);
      if (!fileSystem.rename(waiting, target)) {
        throw new IOException("rename from " + waiting + " failed");
      }
    } catch (IOException e) {
      throw StorageFault.of(target.toString(), "cannot write", e);
    }
  }

  /**
   * Undoes {@link #claim}: what a run kept here is of no use once its input has turned out to be
   * bad. A folder that is empty then goes too.
   */
  public void abandon() {
    if (lease != null && !lease.held()) {
      return;
    }
    removeWork();
    try {
      if (fileSystem.listStatus(path).length == 0) {
        fileSystem.delete(path, false);
      }
    } catch (FileNotFoundException e) {
      // Object stores have no empty folders.
      return;
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot remove", e);
    }
  }

  /** Forgets what the run kept here. */
  public void removeWork() {
    close();
    try {
      fileSystem.delete(new Path(path, WORK), true);
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot remove " + WORK + ": " + e.getMessage(), e);
    }
  }

  private OutputStream create(Path file) throws IOException {
    return new DiskStream(fileSystem.create(file, true));
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
