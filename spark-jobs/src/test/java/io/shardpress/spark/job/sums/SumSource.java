package io.shardpress.spark.job.sums;

import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import java.io.IOException;
import java.io.OutputStream;

/** A sum as it lies in a part. */
record SumSource(PartKey part) implements TensorSource {
  @Override
  public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
    try (PartReader reader = environment.store().read(part)) {
      out.write(reader.row("sum").data());
    }
  }
}
