package io.shardpress.spark.output.dense;

import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.store.PartKey;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/**
 * A dequantized weight, of which the bytes lie in parts.
 *
 * @param tiles in the order of their rows
 */
record DenseRows(String tensor, List<PartKey> tiles) implements TensorSource {
  @Override
  public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
    for (PartKey tile : tiles) {
      out.write(DequantizeStep.read(environment.store(), tile, tensor));
    }
  }
}
