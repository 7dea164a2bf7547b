package io.shardpress.spark.app;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.store.PartCollector;
import io.shardpress.spark.store.WorkFolder;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code gc}: removes parts that no recorded run uses. */
final class GcAction {
  private GcAction() {}

  static int run(GcOptions options) {
    WorkFolder folder =
        new WorkFolder(options.work(), Settings.of(options.spark(), Stream.of(options.work())));
    Interruption.keeps(
        "parts that runs use are kept in " + options.work() + "; the same command goes on",
        () -> {});
    PartCollector.Outcome outcome = PartCollector.collect(folder, options.keep());
    System.out.printf(
        Locale.ROOT,
        "removed %d parts and %d unfinished files, %.1f MB; kept %d parts of %d runs, %.1f MB%n",
        outcome.parts(),
        outcome.attempts(),
        outcome.bytes() / 1e6,
        outcome.kept(),
        outcome.runs(),
        outcome.keptBytes() / 1e6);
    return ExitCodes.DONE;
  }
}
