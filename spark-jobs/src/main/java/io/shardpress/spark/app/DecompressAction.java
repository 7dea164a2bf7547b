package io.shardpress.spark.app;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.job.DecompressJob;
import io.shardpress.spark.job.Job;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.dense.DecompressionPlan;
import io.shardpress.spark.output.dense.DensePublication;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** {@code decompress}. */
final class DecompressAction {
  private DecompressAction() {}

  static int run(DecompressOptions options) {
    Configuration configuration =
        Settings.of(
            options.spark(),
            Settings.uris(Optional.of(options.model()), Optional.of(options.output())));
    Checkpoint checkpoint = Checkpoint.open(options.model(), configuration);
    checkpoint.notes().forEach(Settings::warn);
    Dtype dtype = options.dtype().orElseGet(() -> QuantizedFolder.dtype(checkpoint));
    DecompressionPlan plan =
        DecompressionPlan.of(QuantizedFolder.dequantized(checkpoint, dtype), dtype);
    Publication publication = new DensePublication(plan);
    Job job = new DecompressJob(plan, publication);
    Publishing publishing =
        new Publishing("decompress", job, options.output(), Optional.empty(), configuration);
    publishing.run(
        options.overwrite(),
        options.spark(),
        seconds ->
            String.format(
                Locale.ROOT,
                "%.1f MB in place of %.1f MB, %d weights dequantized, %.1f s in all",
                publication.bytes() / 1e6,
                plan.inputBytes() / 1e6,
                plan.weights().size(),
                seconds));
    return ExitCodes.DONE;
  }
}
