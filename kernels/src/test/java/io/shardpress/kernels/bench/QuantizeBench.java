package io.shardpress.kernels.bench;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.Bf16ToInt4;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;

/**
 * Round to nearest of a bf16 weight to packed 4-bit codes in groups of 128, in memory, on one
 * thread: in one pass, and by the general steps one after the other.
 */
final class QuantizeBench implements Benchmark {
  private static final int IN = 4096;
  private static final int GROUP = 128;

  @Override
  public void run(Setting setting, JsonLine line) {
    int out = setting.sizeOr(4096);
    byte[] weights = new byte[2 * out * IN];
    float[] values = RandomArrays.uniform(out * IN, 1);
    FloatBytes.encode(Dtype.BF16, values, 0, weights, 0, values.length);
    int groups = out * IN / GROUP;
    int[] packed = new int[out * IN / 8];
    float[] steps = new float[groups];
    byte[] copy = new byte[weights.length];
    Bf16ToInt4 rounding = new Bf16ToInt4(GROUP, ScaleFormat.BF16);
    Turns turns =
        new Turns()
            .add("copy", () -> System.arraycopy(weights, 0, copy, 0, copy.length))
            .add("fused", () -> rounding.quantize(weights, 0, groups, packed, 0, steps, 0))
            .add("steps", () -> stepByStep(weights, values, out, packed))
            .run(setting.seconds());
    line.put("size", out)
        .put("seconds", turns.seconds("fused"))
        .put("gb_per_s", weights.length / turns.seconds("fused") / 1e9)
        .put("step_by_step_gb_per_s", weights.length / turns.seconds("steps") / 1e9)
        .put("copy_gb_per_s", weights.length / turns.seconds("copy") / 1e9);
  }

  private static void stepByStep(byte[] weights, float[] values, int out, int[] packed) {
    FloatBytes.decode(Dtype.BF16, weights, 0, values, 0, values.length);
    WeightScheme scheme = new WeightScheme(4, true, GROUP);
    QuantizedLinear rounded =
        RoundToNearest.quantize(values, out, IN, scheme, ScaleFormat.BF16, new MinMax());
    BitPacking.packRows(rounded.codes(), 0, out, IN, 4, packed, 0);
  }
}
