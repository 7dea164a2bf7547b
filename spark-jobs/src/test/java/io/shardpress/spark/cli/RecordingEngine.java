package io.shardpress.spark.cli;

import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.VerifyOptions;
import java.util.ArrayList;
import java.util.List;

/** Keeps what it was asked for and ends as told. */
final class RecordingEngine implements CommandEngine {
  final List<Object> asked = new ArrayList<>();
  int code;
  RuntimeException failure;

  @Override
  public int plan(PlanOptions options) {
    return record(options);
  }

  @Override
  public int compress(CompressOptions options) {
    return record(options);
  }

  @Override
  public int decompress(DecompressOptions options) {
    return record(options);
  }

  @Override
  public int evaluate(EvaluateOptions options) {
    return record(options);
  }

  @Override
  public int verify(VerifyOptions options) {
    return record(options);
  }

  @Override
  public int inspect(InspectOptions options) {
    return record(options);
  }

  @Override
  public int gc(GcOptions options) {
    return record(options);
  }

  private int record(Object options) {
    asked.add(options);
    if (failure != null) {
      throw failure;
    }
    return code;
  }
}
