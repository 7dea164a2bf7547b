package io.shardpress.spark.sweep;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/** Squared error of a block's output and the output's squared sum; a note of its part. */
public record BlockError(double error, double output) {
  private static final String NOTE = "error";

  static final BlockError NONE = new BlockError(0, 0);

  static BlockError of(float[] full, float[] quantized, int length) {
    double error = 0;
    double output = 0;
    for (int i = 0; i < length; i++) {
      double difference = (double) full[i] - quantized[i];
      error += difference * difference;
      output += (double) full[i] * full[i];
    }
    return new BlockError(error, output);
  }

  BlockError plus(BlockError other) {
    return new BlockError(error + other.error, output + other.output);
  }

  void write(PartWriter writer) {
    writer.note(NOTE, error + " " + output);
  }

  /** Reads the sum over parts of a block's quantized output, in their order. */
  public static BlockError read(PartStore store, List<PartKey> parts) {
    BlockError sum = NONE;
    for (String note : store.readEach(parts, reader -> reader.note(NOTE))) {
      String[] sums = note.split(" ");
      sum = sum.plus(new BlockError(Double.parseDouble(sums[0]), Double.parseDouble(sums[1])));
    }
    return sum;
  }

  /** ‖ŷ − y‖² / ‖y‖². */
  public double relative() {
    return output == 0 ? 0 : error / output;
  }
}
