package io.shardpress.spark.output.gguf;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.pack.BlockRounding;
import io.shardpress.kernels.pack.LearnedBlocks;
import io.shardpress.kernels.pack.LearnedBlocks.MinimumError;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.TensorSource;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Optional;

/** Where the bytes of a tensor in GGUF come from. */
sealed interface GgufSource extends TensorSource {
  /** Elements that are rounded or packed at once. */
  int CHUNK_ELEMENTS = 1 << 20;

  private static void requireFinite(TensorRef tensor, long row, float[] weights) {
    if (tensor.stored() == null) {
      TensorReader.requireFinite(tensor, row, weights);
    }
  }

  /** Learned integers, packed again. */
  record Learned(QuantizedRows linear, GgufType type) implements GgufSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      linear.forEachRows(environment, (tile, steps, first) -> write(tile, steps, first, out));
    }

    /** A tile's rows, a few at a time. */
    private void write(byte[] tile, Steps steps, int firstRow, OutputStream out)
        throws IOException {
      IntBuffer words = ByteBuffer.wrap(tile).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
      int in = linear.in();
      int bits = linear.scheme().bits();
      int stride = BitPacking.words(in, bits);
      int most = Math.max(1, CHUNK_ELEMENTS / in);
      int row = firstRow;
      while (words.hasRemaining()) {
        int rows = Math.min(most, words.remaining() / stride);
        int[] packed = new int[rows * stride];
        words.get(packed);
        byte[] codes = new byte[rows * in];
        BitPacking.unpackRows(packed, 0, rows, in, bits, codes, 0);
        try {
          out.write(LearnedBlocks.pack(type, codes, rows, in, steps, row));
        } catch (ArithmeticException e) {
          throw new CheckpointException(
              "%s: found the minimum %s, beyond the range of %s; use W4A16 in GGUF"
                  .formatted(linear.module(), e.getMessage(), type),
              e);
        }
        row += rows;
      }
    }

    @Override
    public Optional<MinimumError> minimumError(TaskEnvironment environment) {
      return type == GgufType.Q4_1
          ? Optional.of(LearnedBlocks.minimumError(linear.readSteps(environment)))
          : Optional.empty();
    }
  }

  /** An input tensor, or what a transform made of it, in another type. */
  record Rounded(TensorRef tensor, GgufType type) implements GgufSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      int columns = Math.toIntExact(tensor.columns());
      int rows = Math.max(1, CHUNK_ELEMENTS / columns);
      for (long row = 0; row < tensor.rows(); row += rows) {
        int count = (int) Math.min(rows, tensor.rows() - row);
        float[] weights = environment.reader().readFloats(tensor, row, count);
        requireFinite(tensor, row, weights);
        try {
          out.write(BlockRounding.round(type, weights, 0, weights.length));
        } catch (ArithmeticException e) {
          throw new CheckpointException(
              "%s: tensor %s: found %s, beyond the range of %s in GGUF; use --gguf-type BF16"
                  .formatted(tensor.file(), tensor.tensor(), e.getMessage(), type),
              e);
        }
      }
    }
  }

  /** A few numbers that follow from config.json. */
  record Numbers(List<Float> values) implements GgufSource {
    public Numbers {
      values = List.copyOf(values);
    }

    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      ByteBuffer bytes =
          ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      values.forEach(bytes::putFloat);
      out.write(bytes.array());
    }
  }

  /** Norms that multiply by 1 + w, as f32 of that sum. */
  record OnePlus(TensorRef tensor) implements GgufSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      float[] weights = environment.reader().readFloats(tensor, 0, Math.toIntExact(tensor.rows()));
      requireFinite(tensor, 0, weights);
      ByteBuffer bytes =
          ByteBuffer.allocate(weights.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (float weight : weights) {
        bytes.putFloat(1 + weight);
      }
      out.write(bytes.array());
    }
  }

  /** Tensors of one shape behind each other: a block's experts. */
  record Stacked(List<TensorSource> parts) implements GgufSource {
    public Stacked {
      parts = List.copyOf(parts);
    }

    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      for (TensorSource part : parts) {
        part.writeTo(out, environment);
      }
    }

    /** All have equally many groups. */
    @Override
    public Optional<MinimumError> minimumError(TaskEnvironment environment) {
      double largest = 0;
      double squares = 0;
      for (TensorSource part : parts) {
        Optional<MinimumError> error = part.minimumError(environment);
        if (error.isEmpty()) {
          return Optional.empty();
        }
        largest = Math.max(largest, error.get().largest());
        squares += error.get().rms() * error.get().rms();
      }
      return Optional.of(new MinimumError(largest, Math.sqrt(squares / parts.size())));
    }
  }

  /** Another one with each head's rows in llama.cpp's order. */
  record ByHeads(TensorSource rows, int headDim, int rowBytes) implements GgufSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      HeadRows heads = new HeadRows(out, headDim, rowBytes);
      rows.writeTo(heads, environment);
      heads.end();
    }

    @Override
    public Optional<MinimumError> minimumError(TaskEnvironment environment) {
      return rows.minimumError(environment);
    }
  }
}
