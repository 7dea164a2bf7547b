package io.shardpress.spark.store;

import io.shardpress.spark.io.Lease;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.fs.FileStatus;

/** Removes from a work folder what its last runs do not use. */
public final class PartCollector {
  // A task that has outlived its driver may still be writing.
  private static final Duration SAFE_AGE = Duration.ofHours(1);

  private PartCollector() {}

  /**
   * What was done.
   *
   * @param parts removed, with the files beside them
   * @param attempts unfinished files removed
   * @param bytes of both
   * @param kept parts that are still there
   * @param keptBytes of these
   * @param runs whose parts were kept
   */
  public record Outcome(int parts, int attempts, long bytes, int kept, long keptBytes, int runs) {}

  /**
   * Removes the parts that none of the last runs uses.
   *
   * @param keep how many runs' parts stay, at least 1
   * @throws io.shardpress.schemas.CheckpointException where the folder is no work folder, or a run
   *     is at work in it
   */
  public static Outcome collect(WorkFolder folder, int keep) {
    try (Lease lease = folder.enterAlone()) {
      List<RunRecord> records = folder.records();
      Set<String> used = new HashSet<>();
      for (int i = 0; i < records.size(); i++) {
        if (i < keep) {
          used.addAll(folder.parts(records.get(i)));
        } else {
          folder.forget(records.get(i));
        }
      }
      Outcome outcome = new Outcome(0, 0, 0, 0, 0, Math.min(keep, records.size()));
      for (FileStatus file : folder.partFiles()) {
        lease.check();
        outcome = collect(folder, file, used, outcome);
      }
      return outcome;
    }
  }

  private static Outcome collect(
      WorkFolder folder, FileStatus file, Set<String> used, Outcome before) {
    String name = file.getPath().getName();
    long bytes = before.bytes + file.getLen();
    if (name.startsWith(".")) {
      Instant written = Instant.ofEpochMilli(file.getModificationTime());
      if (written.plus(SAFE_AGE).isAfter(Instant.now())) {
        return before;
      }
      folder.remove(file);
      return new Outcome(
          before.parts, before.attempts + 1, bytes, before.kept, before.keptBytes, before.runs);
    }
    if (used.contains(name.replaceFirst("\\..*", ""))) {
      return new Outcome(
          before.parts,
          before.attempts,
          before.bytes,
          before.kept + 1,
          before.keptBytes + file.getLen(),
          before.runs);
    }
    folder.remove(file);
    return new Outcome(
        before.parts + 1, before.attempts, bytes, before.kept, before.keptBytes, before.runs);
  }
}
