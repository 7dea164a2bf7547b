package io.shardpress.spark.output.compressedtensors;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.quant.Fp4Rounding;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.output.TensorSource;
import java.io.IOException;
import java.io.OutputStream;

/** Where the scales of FP4 weights come from. The weights' own bytes are those of any codes. */
sealed interface Fp4Source extends TensorSource {
  /** weight_scale of MXFP4: E8M0. */
  record PowersOfTwo(QuantizedRows linear) implements Fp4Source {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      float[] scales = linear.readSteps(environment).scales();
      byte[] bytes = new byte[scales.length];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = Fp4Rounding.e8m0(scales[i]);
      }
      out.write(bytes);
    }
  }

  /** weight_scale of NVFP4: E4M3. */
  record Scales(LearnedLinear linear) implements Fp4Source {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      float[] scales = linear.readSteps(environment.store()).scales();
      float global = linear.readGlobalScale(environment.store());
      byte[] bytes = new byte[scales.length];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = Fp4Rounding.e4m3(scales[i], global);
      }
      out.write(bytes);
    }
  }

  /** weight_global_scale. */
  record GlobalScale(LearnedLinear linear) implements Fp4Source {
    @Override
    public void writeTo(OutputStream out, TaskEnvironment environment) throws IOException {
      byte[] bytes = new byte[Float.BYTES];
      float[] scale = {linear.readGlobalScale(environment.store())};
      FloatBytes.encode(Dtype.F32, scale, 0, bytes, 0, 1);
      out.write(bytes);
    }
  }
}
