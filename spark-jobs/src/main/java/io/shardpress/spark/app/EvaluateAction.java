package io.shardpress.spark.app;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.options.CacheRounding;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.evaluate.Evaluation;
import io.shardpress.spark.evaluate.ModelSource;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.job.EvaluateJob;
import io.shardpress.spark.text.Windows;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** {@code evaluate}. */
final class EvaluateAction {
  private EvaluateAction() {}

  static int run(EvaluateOptions options) {
    Configuration configuration =
        Settings.of(
            options.spark(),
            Settings.uris(
                options.text(),
                Optional.of(options.original()),
                Optional.of(options.compressed())));
    Checkpoint original = Checkpoint.open(options.original(), configuration);
    Checkpoint compressed = Checkpoint.open(options.compressed(), configuration);
    original.notes().forEach(Settings::warn);
    if (!compressed.uri().equals(original.uri())) {
      compressed.notes().forEach(Settings::warn);
    }
    ModelSource originalSource = ModelSource.of(original);
    ModelSource compressedSource = compressed(options, compressed);
    String text = options.text().file().orElseThrow();
    Windows windows = Calibration.windows(original, text, options.text(), configuration);
    windows.warnings().forEach(Settings::warn);
    EvaluateJob job = new EvaluateJob(originalSource, compressedSource, windows);
    Evaluation evaluation;
    Settings.sayBackend();
    try (OpenSession session = SparkSessions.open("evaluate", options.spark())) {
      evaluation = job.run(session.context());
    }
    System.err.println(EvaluationText.paired(evaluation));
    if (options.json()) {
      System.out.println(EvaluationText.json(evaluation));
    } else {
      System.out.print(EvaluationText.table(evaluation));
    }
    return exceeds(evaluation, options) ? ExitCodes.LIMIT_EXCEEDED : ExitCodes.DONE;
  }

  private static ModelSource compressed(EvaluateOptions options, Checkpoint checkpoint) {
    ModelSource source = ModelSource.of(checkpoint);
    if (options.cache() == CacheRounding.RUNTIME) {
      return source;
    }
    if (!source.quantizesCache()) {
      throw new UsageException(
          "--kv-cache published, but "
              + checkpoint.uri()
              + "/config.json has no kv_cache_scheme; leave the option out");
    }
    return source.withPublishedCache();
  }

  private static boolean exceeds(Evaluation evaluation, EvaluateOptions options) {
    double mean = evaluation.kl().mean();
    if (options.maxKl().isEmpty() || mean <= options.maxKl().getAsDouble()) {
      return false;
    }
    Settings.warn("mean KL " + mean + " is above --max-kl " + options.maxKl().getAsDouble());
    return true;
  }
}
