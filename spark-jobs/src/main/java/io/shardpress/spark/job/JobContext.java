package io.shardpress.spark.job;

import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.Mend;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/** What a job has at hand while it takes its steps. */
public final class JobContext {
  private final StepRunner steps;
  private final Progress progress;
  private final Mend mend;
  private final BiConsumer<List<PartKey>, List<PartKey>> record;
  private final Optional<DirectShards> direct;
  private final List<PartKey> digests = new ArrayList<>();

  /**
   * @param record keeps names of parts: of digests, and of all that stay
   * @param direct where files can be written before they are published
   */
  JobContext(
      StepRunner steps,
      Progress progress,
      Mend mend,
      BiConsumer<List<PartKey>, List<PartKey>> record,
      Optional<DirectShards> direct) {
    this.steps = steps;
    this.progress = progress;
    this.mend = mend;
    this.record = record;
    this.direct = direct;
  }

  /** Runs steps. */
  public StepRunner steps() {
    return steps;
  }

  /** Hears how far the run has come. */
  public Progress progress() {
    return progress;
  }

  /**
   * Writes files straight from a model's weights. Empty where parts are to stay for other runs, or
   * where files cannot be renamed once they are whole, as on object stores.
   */
  public Optional<DirectShards> direct() {
    return direct;
  }

  /** A checkpoint's tensors with their content, by name, from the store or by reading them. */
  public Map<String, TensorRef> contents(Checkpoint checkpoint) {
    digests.addAll(Digests.parts(checkpoint));
    return Digests.of(checkpoint, steps).contents(checkpoint);
  }

  /**
   * Says which parts the run is to use, before it makes those that are missing: they are recorded
   * where runs share a store, so that gc knows them, and checked where a bad one has been seen.
   */
  public void uses(Collection<PartKey> parts) {
    mend.check(List.copyOf(parts));
    List<PartKey> all = new ArrayList<>(digests);
    all.addAll(parts);
    record.accept(List.copyOf(digests), all);
  }
}
