package io.shardpress.spark.app;

import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.VerifyOptions;

/**
 * What the commands do. The command line loads the implementation, and Spark with it, only after
 * the options have been understood. Data goes to stdout, all else to stderr.
 *
 * <p>A method returns an exit code, see {@link ExitCodes}; it throws {@link
 * io.shardpress.schemas.CheckpointException} for broken data and {@link
 * io.shardpress.schemas.UsageException} for what cannot be meant.
 */
public interface CommandEngine {
  int plan(PlanOptions options);

  int compress(CompressOptions options);

  int decompress(DecompressOptions options);

  int evaluate(EvaluateOptions options);

  int verify(VerifyOptions options);

  int inspect(InspectOptions options);

  int gc(GcOptions options);

  /** The commands on Spark. */
  static CommandEngine load() {
    try {
      return new SparkCommandEngine();
    } catch (LinkageError e) {
      throw new IllegalStateException(
          "Spark cannot be loaded ("
              + e
              + "): start with scripts/shardpress or spark-submit, which put Spark on the class path",
          e);
    }
  }
}
