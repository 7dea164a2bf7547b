package io.shardpress.spark.store;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.DiskStream;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Lease;
import io.shardpress.spark.io.StorageFault;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A folder with a part store that runs share. Beside parts/ it has runs/: of every run a record
 * RUN.json and the list of the parts that it uses, RUN.parts, a name a line; and a lease for
 * everybody who is at work in it.
 */
public final class WorkFolder {
  private static final String RECORD = ".json";
  private static final String PARTS = ".parts";
  private static final String LEASE = ".lease";
  private static final String COLLECTOR = "gc" + LEASE;

  private final String uri;
  private final Path runs;
  private final FileSystem fileSystem;
  private final Configuration configuration;

  public WorkFolder(String uri, Configuration configuration) {
    this.uri = uri;
    this.runs = new Path(uri, "runs");
    this.fileSystem = FileSystems.of(runs, configuration);
    this.configuration = configuration;
  }

  /**
   * Says that a run is at work here, until what is given back is closed.
   *
   * @throws CheckpointException while parts are being removed
   */
  public Lease enter() {
    Lease lease =
        Lease.take(new Path(runs, "run-" + UUID.randomUUID() + LEASE), uri, configuration);
    // Each of the two writes its own before it looks for the other's: at least one of them sees.
    if (leases().stream().anyMatch(status -> status.getPath().getName().equals(COLLECTOR))) {
      lease.close();
      throw new CheckpointException(uri + ": found gc at work here; start again once it has ended");
    }
    return lease;
  }

  /**
   * Takes the folder for removing parts.
   *
   * @throws CheckpointException where it is no work folder, or somebody is at work here
   */
  Lease enterAlone() {
    if (list(runs).stream().noneMatch(status -> status.getPath().getName().endsWith(PARTS))) {
      throw new CheckpointException(
          uri + ": found no record of a run, wanted a folder that compress had as --work");
    }
    Lease lease = Lease.take(new Path(runs, COLLECTOR), uri, configuration);
    Optional<FileStatus> other =
        leases().stream()
            .filter(status -> !status.getPath().getName().equals(COLLECTOR))
            .findFirst();
    if (other.isPresent()) {
      lease.close();
      throw new CheckpointException(
          "%s: found a run at work here (%s); start again once it has ended"
              .formatted(uri, other.get().getPath().getName()));
    }
    return lease;
  }

  /** Leases of those who may be at work; what others left is removed. */
  private List<FileStatus> leases() {
    List<FileStatus> live = new ArrayList<>();
    for (FileStatus status : list(runs)) {
      if (status.getPath().getName().endsWith(LEASE)) {
        if (Lease.live(status, configuration)) {
          live.add(status);
        } else {
          remove(status);
        }
      }
    }
    return live;
  }

  /** Keeps a record, in place of one of the same run, and the names of the parts that it uses. */
  public void keep(RunRecord record, Collection<PartKey> parts) {
    StringBuilder names = new StringBuilder();
    parts.forEach(part -> names.append(part.hex()).append('\n'));
    write(new Path(runs, record.run() + PARTS), names.toString());
    write(new Path(runs, record.run() + RECORD), record.toJson());
  }

  /** The records that can be read, the latest first. */
  public List<RunRecord> records() {
    List<RunRecord> records = new ArrayList<>();
    for (FileStatus status : list(runs)) {
      if (status.getPath().getName().endsWith(RECORD)) {
        RunRecord.parse(read(status.getPath())).ifPresent(records::add);
      }
    }
    records.sort(Comparator.comparing(RunRecord::started).reversed());
    return records;
  }

  /** Names of the parts that a run uses. */
  List<String> parts(RunRecord record) {
    byte[] names = read(new Path(runs, record.run() + PARTS));
    return new String(names, StandardCharsets.UTF_8).lines().toList();
  }

  /** The files of runs/ that belong to a run of which there is to be no record any more. */
  void forget(RunRecord record) {
    for (FileStatus status : list(runs)) {
      if (status.getPath().getName().startsWith(record.run() + ".")) {
        remove(status);
      }
    }
  }

  /** All files of the part store. */
  List<FileStatus> partFiles() {
    List<FileStatus> files = new ArrayList<>();
    for (FileStatus folder : list(new Path(uri, "parts"))) {
      files.addAll(list(folder.getPath()));
    }
    return files;
  }

  void remove(FileStatus status) {
    try {
      fileSystem.delete(status.getPath(), false);
    } catch (IOException e) {
      throw StorageFault.of(status.getPath().toString(), "cannot delete", e);
    }
  }

  private List<FileStatus> list(Path folder) {
    try {
      return List.of(fileSystem.listStatus(folder));
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw StorageFault.of(folder.toString(), "cannot list", e);
    }
  }

  private byte[] read(Path file) {
    try (FSDataInputStream in = fileSystem.open(file)) {
      return in.readAllBytes();
    } catch (FileNotFoundException e) {
      return new byte[0];
    } catch (IOException e) {
      throw StorageFault.of(file.toString(), "cannot read", e);
    }
  }

  private void write(Path file, String text) {
    try (OutputStream out = new DiskStream(fileSystem.create(file, true))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw StorageFault.of(file.toString(), "cannot write", e);
    }
  }
}
