package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.io.Serializable;

/**
 * A static scale in the store: a row (F32) of scale and zero.
 *
 * @param part of the block's scales
 * @param name of the row
 */
public record StaticScale(PartKey part, String name) implements Serializable {
  /** That of what a stage's linears read. */
  public static StaticScale ofInputs(PartKey part, Stage stage) {
    return new StaticScale(part, stage.name());
  }

  /** That of a block's keys. */
  public static StaticScale ofKeys(PartKey part) {
    return new StaticScale(part, "keys");
  }

  /** That of a block's values. */
  public static StaticScale ofValues(PartKey part) {
    return new StaticScale(part, "values");
  }

  /**
   * A scale as it is published.
   *
   * @param scale exact in the dtype that it is stored in
   * @param zero the signed zero point; 0 where symmetric
   */
  public record Value(float scale, int zero) {}

  void write(PartWriter writer, ActivationStep step, ScaleFormat format) {
    // A stored zero point counts from the middle of the unsigned codes.
    writer.add(PartRow.ofFloats(name, format.usable(step.scale()), step.zero() - 128));
  }

  /** Reads it. */
  public Value read(PartStore store) {
    try (PartReader reader = store.read(part)) {
      float[] row = reader.row(name).floats();
      return new Value(row[0], (int) row[1]);
    }
  }
}
