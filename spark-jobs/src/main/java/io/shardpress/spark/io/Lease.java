package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * A file that says who is at work in a folder. Its owner writes it anew every ten seconds; after a
 * minute without that, by the storage's own clock, it is nobody's. Where the owner was a process of
 * this machine that is no more, it is nobody's at once.
 *
 * <p>Local files and HDFS give a new file to one process only, and so does S3 where it knows
 * conditional writes. Where storage does not, two that come at the same moment may think for some
 * seconds that they are the owner; the one whose token does not stand in the file is told so by
 * {@link #check}.
 */
public final class Lease implements AutoCloseable {
  private static final Times USUAL = new Times(Duration.ofSeconds(10), Duration.ofMinutes(1));
  private static final String ONLY_IF_ABSENT = "fs.option.create.conditional.overwrite";

  /** How often it is renewed, and when it is nobody's. */
  record Times(Duration renewal, Duration stale) {}

  private final FileSystem fileSystem;
  private final Path file;
  private final String folder;
  private final Times times;
  private final LeaseOwner owner = LeaseOwner.ofThisProcess();
  private final ScheduledExecutorService renewing =
      Executors.newSingleThreadScheduledExecutor(Lease::thread);
  private volatile long renewed;
  private volatile String lost;

  private Lease(Path file, String folder, Configuration configuration, Times times) {
    this.fileSystem = FileSystems.of(file, configuration);
    this.file = file;
    this.folder = folder;
    this.times = times;
  }

  /**
   * Takes a folder; waits for up to a minute where it cannot be known at once whether its owner is
   * alive.
   *
   * @param file that stands for it
   * @param folder its name in messages
   * @throws CheckpointException where another process has it
   */
  public static Lease take(Path file, String folder, Configuration configuration) {
    return take(file, folder, configuration, USUAL);
  }

  static Lease take(Path file, String folder, Configuration configuration, Times times) {
    Lease lease = new Lease(file, folder, configuration, times);
    try {
      lease.take();
    } catch (IOException e) {
      throw StorageFault.of(folder, "cannot write in this folder", e);
    }
    return lease;
  }

  /** Whether somebody who may be alive has this file. */
  public static boolean live(FileStatus status, Configuration configuration) {
    Lease reader = new Lease(status.getPath(), "", configuration, USUAL);
    try {
      Optional<LeaseOwner> found = reader.read();
      return found.filter(LeaseOwner::dead).isEmpty()
          && reader.storageNow() - status.getModificationTime() <= USUAL.stale().toMillis();
    } catch (FileNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw StorageFault.of(status.getPath().toString(), "cannot read", e);
    }
  }

  private void take() throws IOException {
    FileStatus seen = null;
    while (!create()) {
      FileStatus status;
      Optional<LeaseOwner> other;
      try {
        status = fileSystem.getFileStatus(file);
        other = read();
      } catch (FileNotFoundException e) {
        continue;
      }
      boolean alive = other.filter(LeaseOwner::alive).isPresent();
      if (alive || (seen != null && status.getModificationTime() != seen.getModificationTime())) {
        throw refused(other);
      }
      long age = storageNow() - status.getModificationTime();
      if (age > times.stale().toMillis() || other.filter(LeaseOwner::dead).isPresent()) {
        fileSystem.delete(file, false);
        continue;
      }
      if (seen == null) {
        System.err.println(
            String.format(
                Locale.ROOT,
                "%s: %s left no word whether it has ended; waiting for up to %d s",
                folder,
                name(other),
                (times.stale().toMillis() - age) / 1000 + 1));
      }
      seen = status;
      sleep();
    }
    renewed = System.nanoTime();
    long period = times.renewal().toMillis();
    // It ends with the lease, and says itself what goes wrong.
    ScheduledFuture<?> unused =
        renewing.scheduleWithFixedDelay(this::renew, period, period, TimeUnit.MILLISECONDS);
  }

  private CheckpointException refused(Optional<LeaseOwner> other) {
    return new CheckpointException(
        "%s: found %s at work here; wait until it has ended, or choose another folder"
            .formatted(folder, name(other)));
  }

  private static String name(Optional<LeaseOwner> owner) {
    return owner.map(LeaseOwner::toString).orElse("another run");
  }

  /** Writes the file where there is none; whether it is ours then. */
  private boolean create() throws IOException {
    byte[] bytes = owner.json().getBytes(StandardCharsets.UTF_8);
    if (fileSystem instanceof RawLocalFileSystem local) {
      java.nio.file.Path path = local.pathToFile(file).toPath();
      Files.createDirectories(path.getParent());
      try {
        Files.write(path, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        return true;
      } catch (java.nio.file.FileAlreadyExistsException e) {
        return false;
      }
    }
    // Storage that does not know the condition below would write over a living owner's file.
    if (fileSystem.exists(file)) {
      return false;
    }
    FSDataOutputStreamBuilder<?, ?> builder = fileSystem.createFile(file);
    builder.recursive().overwrite(false).opt(ONLY_IF_ABSENT, true);
    try (OutputStream out = builder.build()) {
      out.write(bytes);
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      // Storage that refuses the second of two writes says so in words of its own.
      if (!fileSystem.exists(file)) {
        throw e;
      }
    }
    return ours();
  }

  private boolean ours() throws IOException {
    return read().filter(found -> found.token().equals(owner.token())).isPresent();
  }

  private Optional<LeaseOwner> read() throws IOException {
    try (FSDataInputStream in = fileSystem.open(file)) {
      return LeaseOwner.parse(in.readAllBytes());
    }
  }

  /** What time it is where the file lies. */
  private long storageNow() throws IOException {
    Path probe = new Path(file.getParent(), file.getName() + "." + owner.token());
    try {
      fileSystem.create(probe, true).close();
      return fileSystem.getFileStatus(probe).getModificationTime();
    } finally {
      fileSystem.delete(probe, false);
    }
  }

  private void renew() {
    try {
      if (!ours()) {
        lost = name(read()) + " has taken it over";
      } else {
        write();
        renewed = System.nanoTime();
      }
    } catch (FileNotFoundException e) {
      lost = "somebody has removed " + file;
    } catch (IOException | RuntimeException e) {
      if (System.nanoTime() - renewed > times.stale().toNanos()) {
        lost = file + " cannot be renewed: " + e.getMessage();
      }
    }
    if (lost != null) {
      renewing.shutdown();
    }
  }

  /** In such a way that readers see an owner all the time, where storage can do that. */
  private void write() throws IOException {
    byte[] bytes = owner.json().getBytes(StandardCharsets.UTF_8);
    if (fileSystem instanceof RawLocalFileSystem local) {
      java.nio.file.Path path = local.pathToFile(file).toPath();
      java.nio.file.Path attempt = path.resolveSibling(file.getName() + "." + owner.token());
      Files.write(attempt, bytes);
      Files.move(
          attempt, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    try (OutputStream out = new DiskStream(fileSystem.create(file, true))) {
      out.write(bytes);
    }
  }

  /** Whether the folder is still ours, as far as is known. */
  public boolean held() {
    return lost == null && !renewing.isShutdown();
  }

  /**
   * Stops whoever is no longer the owner.
   *
   * @throws CheckpointException where another process has become it
   */
  public void check() {
    if (lost != null) {
      throw new CheckpointException(folder + ": " + lost + ", so this run stops");
    }
  }

  /** Gives the folder back. */
  @Override
  public void close() {
    renewing.shutdown();
    try {
      // A renewal that is under way would bring the file back.
      boolean ended = renewing.awaitTermination(times.stale().toMillis(), TimeUnit.MILLISECONDS);
      if (ended && ours()) {
        fileSystem.delete(file, false);
      }
    } catch (IOException e) {
      // It will be nobody's in a minute.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sleep() throws IOException {
    try {
      Thread.sleep(times.renewal().toMillis() / 4);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static Thread thread(Runnable renewal) {
    Thread thread = new Thread(renewal, "shardpress lease");
    thread.setDaemon(true);
    return thread;
  }
}
