package io.shardpress.spark.output;

import io.shardpress.kernels.pack.LearnedBlocks.MinimumError;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FiniteBytes;
import io.shardpress.spark.io.TensorRef;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.Optional;

/** Where a published tensor's bytes come from. */
public interface TensorSource extends Serializable {
  /** Writes all bytes of the tensor. */
  void writeTo(OutputStream out, TaskEnvironment environment) throws IOException;

  /** What the tensor's format cost beyond what was learned, where it can cost anything. */
  default Optional<MinimumError> minimumError(TaskEnvironment environment) {
    return Optional.empty();
  }

  /** An input tensor as it is, or as the dense model has it; refused where it is not finite. */
  record Copy(TensorRef tensor) implements TensorSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      if (tensor.stored() != null) {
        for (RowTile tile : RowTile.of(tensor)) {
          out.write(environment.reader().readBytes(tensor, tile.start(), tile.count()));
        }
        return;
      }
      byte[] chunk =
          new byte[(int) Math.min(environment.reader().chunkBytes(tensor), tensor.length())];
      for (long at = 0; at < tensor.length(); at += chunk.length) {
        int count = (int) Math.min(chunk.length, tensor.length() - at);
        environment.reader().readBytes(tensor, at, chunk, 0, count);
        FiniteBytes.require(tensor, at, chunk, count);
        out.write(chunk, 0, count);
      }
    }
  }
}
