package io.shardpress.spark.unit;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Squared error of a block's output and the output's squared sum; the last row of its part. */
public record BlockError(double error, double output) {
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
    byte[] data =
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putDouble(error)
            .putDouble(output)
            .array();
    writer.add(new PartRow("error", Dtype.F64, List.of(2L), 0, 2, data));
  }

  /** Reads the sum over parts of a block's quantized output, in their order. */
  public static BlockError read(PartStore store, List<PartKey> parts) {
    BlockError sum = new BlockError(0, 0);
    for (PartKey part : parts) {
      try (PartReader reader = store.read(part)) {
        ByteBuffer data =
            ByteBuffer.wrap(reader.row(reader.rows() - 1).data()).order(ByteOrder.LITTLE_ENDIAN);
        sum = sum.plus(new BlockError(data.getDouble(), data.getDouble()));
      }
    }
    return sum;
  }

  /** ‖ŷ − y‖² / ‖y‖². */
  public double relative() {
    return output == 0 ? 0 : error / output;
  }
}
