package io.shardpress.spark.output.compressedtensors;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.output.TensorSource;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Where the bytes of the tensors come from that compressed-tensors has for a linear. */
sealed interface LinearSource extends TensorSource {
  /** weight_packed. */
  record Codes(QuantizedRows linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      linear.forEachCodes(environment, out::write);
    }
  }

  /** weight_scale, already exact in its dtype. */
  record Scales(QuantizedRows linear, Dtype dtype) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      float[] scales = scales(linear.readSteps(environment));
      byte[] bytes = new byte[Math.toIntExact(dtype.bytes(scales.length))];
      FloatBytes.encode(dtype, scales, 0, bytes, 0, scales.length);
      out.write(bytes);
    }

    /** Of FP8, rows that share their scales stand for one. */
    private float[] scales(Steps steps) {
      int share =
          switch (linear.scheme().form()) {
            case FP8_TENSOR -> steps.out();
            case FP8_BLOCK -> WeightForm.BLOCK;
            default -> 1;
          };
      if (share == 1) {
        return steps.scales();
      }
      int rows = (steps.out() + share - 1) / share;
      float[] shared = new float[rows * steps.groups()];
      for (int row = 0; row < rows; row++) {
        int from = row * share * steps.groups();
        System.arraycopy(steps.scales(), from, shared, row * steps.groups(), steps.groups());
      }
      return shared;
    }
  }

  /** weight_zero_point, packed down its columns. */
  record Zeros(QuantizedRows linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      Steps steps = linear.readSteps(environment);
      byte[] zeros = new byte[steps.zeros().length];
      for (int i = 0; i < zeros.length; i++) {
        zeros[i] = (byte) steps.zeros()[i];
      }
      int[] words =
          BitPacking.packColumns(zeros, steps.out(), steps.groups(), linear.scheme().bits());
      ByteBuffer bytes = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asIntBuffer().put(words);
      out.write(bytes.array());
    }
  }

  /** weight_g_idx. */
  record GroupIndex(LearnedLinear linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      int[] groups = linear.readGroupIndex(environment.store());
      ByteBuffer bytes =
          ByteBuffer.allocate(groups.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asIntBuffer().put(groups);
      out.write(bytes.array());
    }
  }

  /** weight_outlier_indices. A quantized weight has fewer elements than I32 has numbers. */
  record OutlierIndices(LearnedLinear linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      long[] places = linear.readOutliers(environment.store()).index();
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.multiplyExact(places.length, Integer.BYTES))
              .order(ByteOrder.LITTLE_ENDIAN);
      for (long place : places) {
        bytes.putInt(Math.toIntExact(place));
      }
      out.write(bytes.array());
    }
  }

  /** weight_outlier_values, exact in the weight's own dtype. */
  record OutlierValues(LearnedLinear linear, Dtype dtype) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      float[] values = linear.readOutliers(environment.store()).value();
      byte[] bytes = new byte[Math.toIntExact(dtype.bytes(values.length))];
      FloatBytes.encode(dtype, values, 0, bytes, 0, values.length);
      out.write(bytes);
    }
  }

  /** weight_shape. */
  record Shape(long out, long in) implements LinearSource {
    @Override
    public void writeTo(OutputStream stream, TaskEnvironment environment) throws IOException {
      stream.write(
          ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(out).putLong(in).array());
    }
  }

  /** The integers of int-quantized, signed, or the numbers of float-quantized: a byte each. */
  record Integers(QuantizedRows linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      int bits = linear.scheme().bits();
      int words = BitPacking.words(linear.in(), bits);
      linear.forEachCodes(
          environment,
          tile -> {
            int[] packed = new int[tile.length / Integer.BYTES];
            ByteBuffer.wrap(tile).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(packed);
            int rows = packed.length / words;
            byte[] codes = new byte[rows * linear.in()];
            BitPacking.unpackRows(packed, 0, rows, linear.in(), bits, codes, 0);
            int middle = linear.scheme().floating() ? 0 : 1 << (bits - 1);
            for (int i = 0; i < codes.length; i++) {
              codes[i] -= (byte) middle;
            }
            out.write(codes);
          });
    }
  }

  /** weight_zero_point of int-quantized: signed, a byte each. */
  record SignedZeros(QuantizedRows linear) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      int[] codes = linear.readSteps(environment).zeros();
      byte[] zeros = new byte[codes.length];
      for (int i = 0; i < zeros.length; i++) {
        zeros[i] = (byte) (codes[i] - (1 << (linear.scheme().bits() - 1)));
      }
      out.write(zeros);
    }
  }

  /** A static scale of activations, or where the dtype is I8 its zero point. */
  record Activation(StaticScale scale, Dtype dtype) implements LinearSource {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      StaticScale.Value value = scale.read(environment.store());
      byte[] bytes = new byte[Math.toIntExact(dtype.bytes(1))];
      if (dtype == Dtype.I8) {
        bytes[0] = (byte) value.zero();
      } else {
        FloatBytes.encode(dtype, new float[] {value.scale()}, 0, bytes, 0, 1);
      }
      out.write(bytes);
    }
  }
}
