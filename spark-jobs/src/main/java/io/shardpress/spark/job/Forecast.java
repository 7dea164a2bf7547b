package io.shardpress.spark.job;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.learn.BlockTurn;
import io.shardpress.spark.learn.BlockTurns;
import io.shardpress.spark.learn.rounding.RoundingLearner;
import io.shardpress.spark.learn.transform.Transforms;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.RunRecord;
import io.shardpress.spark.store.WorkFolder;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.text.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a run would find in a part store, and why it would compute the rest: from the names of all
 * parts, as the run itself goes by them, and for the reasons from the record of an earlier run.
 */
public final class Forecast {
  private static final int MOST_NAMED = 3;

  private final CompressionPlan plan;
  private final Windows windows;
  private final StepRunner runner;
  private final Digests digests;
  private final CompressionPlan known;
  private final RunRecord before;
  private final Map<String, String> digestsBefore;
  private final List<String> changes;
  private final List<String> lines = new ArrayList<>();
  private int there;
  private int total;

  private Forecast(
      CompressionPlan plan, Windows windows, StepRunner runner, Optional<RunRecord> before) {
    this.plan = plan;
    this.windows = windows;
    this.runner = runner;
    this.digests = Digests.known(plan.checkpoint(), runner.store());
    this.known = plan.with(digests.contents(plan.checkpoint()));
    this.before = before.orElse(null);
    this.digestsBefore =
        before.map(record -> Digests.read(record.digests(), runner.store())).orElse(Map.of());
    this.changes =
        before
            .map(
                record ->
                    Ingredients.changes(
                        record.ingredients(),
                        Ingredients.of(plan, Optional.ofNullable(windows), runner.arithmetic())))
            .orElse(List.of());
  }

  /**
   * Lines for people.
   *
   * @param windows of the calibration text; null where the recipe needs none
   */
  public static List<String> of(
      CompressionPlan plan, Windows windows, StepRunner runner, WorkFolder folder) {
    List<RunRecord> records = folder.records();
    Optional<RunRecord> same =
        records.stream().filter(r -> r.model().equals(plan.checkpoint().uri())).findFirst();
    Forecast forecast =
        new Forecast(plan, windows, runner, same.or(() -> records.stream().findFirst()));
    return forecast.lines();
  }

  private List<String> lines() {
    boolean learns =
        plan.quantized().values().stream()
            .anyMatch(entry -> entry.choice().modifier().kind().learnsFromActivations());
    if (learns || !plan.recipe().transforms().isEmpty()) {
      blocks(learns);
    } else {
      tensors();
    }
    List<String> all = new ArrayList<>();
    String what = learns ? "blocks" : "tensors";
    all.add(
        String.format(
            Locale.ROOT,
            "%s: %d of %d %s are there, %d to do",
            runner.store().uri(),
            there,
            total,
            what,
            total - there));
    if (before != null && there < total) {
      all.add("compared with the run of " + before.started() + " on " + before.model());
    }
    all.addAll(lines);
    return all;
  }

  private void tensors() {
    PartStore store = runner.store();
    RoundingLearner job = new RoundingLearner(known, runner, null);
    job.partsByModule().forEach((module, parts) -> tensor(module, parts, store));
  }

  private void tensor(String module, List<PartKey> parts, PartStore store) {
    PlanEntry entry = plan.quantized().get(module);
    total++;
    if (parts.stream().allMatch(store::has)) {
      there++;
    } else {
      add(module, List.of(entry.tensor()), null);
    }
  }

  private void blocks(boolean learns) {
    List<SamplePartition> samples = SamplePartition.of(windows.count(), windows.length());
    SweepContext context =
        new SweepContext(known, runner, runner.arithmetic(), samples, windows.length());
    Embeddings embeddings = new Embeddings(context, windows);
    context = new Transforms(embeddings).foresee(context);
    if (!learns) {
      PartStore store = runner.store();
      new RoundingLearner(context.plan(), runner, null)
          .partsByModule()
          .forEach((module, parts) -> tensor(module, parts, store));
      return;
    }
    String changed = null;
    for (BlockTurn turn : BlockTurns.of(context, embeddings, false).last()) {
      total++;
      if (turn.known(runner.store())) {
        there++;
        continue;
      }
      // Its own tensors, not what an earlier modifier has made of them.
      List<TensorRef> own =
          turn.block().spec.tensors().stream()
              .map(tensor -> plan.checkpoint().find(tensor.tensor()).orElseThrow())
              .toList();
      add(turn.block().spec.name(), own, changed);
      changed = turn.block().spec.name();
    }
  }

  /**
   * @param after a block before it that is computed again, or null
   */
  private void add(String name, List<TensorRef> tensors, String after) {
    lines.add("  " + name + ": " + reason(tensors, after));
  }

  private String reason(List<TensorRef> tensors, String after) {
    List<String> unread =
        tensors.stream().filter(t -> !digests.knows(t)).map(TensorRef::shard).distinct().toList();
    if (!unread.isEmpty()) {
      return "not known to be the same, no run has read "
          + named(unread)
          + " as it is now; --hash reads it";
    }
    if (before == null) {
      return after == null ? "no run has been recorded here" : "follows " + after;
    }
    List<String> other = changed(tensors);
    if (!other.isEmpty()) {
      return named(other) + " changed";
    }
    if (after != null) {
      return "follows " + after;
    }
    List<String> embed = windows == null ? List.of() : changed(List.of(embedding()));
    if (!embed.isEmpty()) {
      return named(embed) + " changed";
    }
    return changes.isEmpty() ? "its parts are not there any more" : String.join(", ", changes);
  }

  private TensorRef embedding() {
    String name = DecoderNames.of(plan.checkpoint().shapes().keySet()).embed();
    return plan.checkpoint().find(name).orElseThrow();
  }

  /** The tensors of the files, among those that these are read from, that are not as before. */
  private List<String> changed(List<TensorRef> tensors) {
    return tensors.stream()
        .flatMap(tensor -> tensor.sources().stream())
        .map(TensorRef::tensor)
        .filter(name -> !digests.hex(name).equals(digestsBefore.get(name)))
        .toList();
  }

  private static String named(List<String> names) {
    String some = String.join(", ", names.subList(0, Math.min(MOST_NAMED, names.size())));
    return names.size() <= MOST_NAMED
        ? some
        : some + " and " + (names.size() - MOST_NAMED) + " more";
  }
}
