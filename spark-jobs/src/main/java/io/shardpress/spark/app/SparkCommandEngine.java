package io.shardpress.spark.app;

import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.VerifyOptions;

/** The commands on Spark. Whatever can be refused from headers is refused before Spark starts. */
public final class SparkCommandEngine implements CommandEngine {
  @Override
  public int plan(PlanOptions options) {
    return PlanAction.run(options);
  }

  @Override
  public int compress(CompressOptions options) {
    return CompressAction.run(options);
  }

  @Override
  public int decompress(DecompressOptions options) {
    return DecompressAction.run(options);
  }

  @Override
  public int evaluate(EvaluateOptions options) {
    return EvaluateAction.run(options);
  }

  @Override
  public int verify(VerifyOptions options) {
    return VerifyAction.run(options);
  }

  @Override
  public int inspect(InspectOptions options) {
    return InspectAction.run(options);
  }

  @Override
  public int gc(GcOptions options) {
    return GcAction.run(options);
  }
}
