package io.shardpress.kernels.bench;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.schemas.safetensors.Dtype;

/**
 * 16-bit weights to f32 and back, and codes to words and back, on one thread: runs that fit the
 * second cache, as what is read from a file does. To compare with: a plain copy of the halves.
 */
final class ConvertBench implements Benchmark {
  @Override
  public void run(Setting setting, JsonLine line) {
    int count = setting.sizeOr(1 << 17);
    float[] values = RandomArrays.uniform(count, 1);
    byte[] bf16 = new byte[2 * count];
    byte[] f16 = new byte[2 * count];
    FloatBytes.encode(Dtype.BF16, values, 0, bf16, 0, count);
    FloatBytes.encode(Dtype.F16, values, 0, f16, 0, count);
    float[] decoded = new float[count];
    byte[] encoded = new byte[2 * count];
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      codes[i] = (byte) (i * 7 & 15);
    }
    byte[] unpacked = new byte[count];
    int[] nibbles = new int[BitPacking.words(count, 4)];
    int[] bytes = new int[BitPacking.words(count, 8)];
    Turns turns =
        new Turns()
            .add("copy", () -> System.arraycopy(bf16, 0, encoded, 0, encoded.length))
            .add("bf16", () -> FloatBytes.decode(Dtype.BF16, bf16, 0, decoded, 0, count))
            .add("f16", () -> FloatBytes.decode(Dtype.F16, f16, 0, decoded, 0, count))
            .add("to_bf16", () -> FloatBytes.encode(Dtype.BF16, values, 0, encoded, 0, count))
            .add("to_f16", () -> FloatBytes.encode(Dtype.F16, values, 0, encoded, 0, count))
            .add("pack_4", () -> BitPacking.packRows(codes, 0, 1, count, 4, nibbles, 0))
            .add("unpack_4", () -> BitPacking.unpackRows(nibbles, 0, 1, count, 4, unpacked, 0))
            .add("pack_8", () -> BitPacking.packRows(codes, 0, 1, count, 8, bytes, 0))
            .add("unpack_8", () -> BitPacking.unpackRows(bytes, 0, 1, count, 8, unpacked, 0));
    turns.run(setting.seconds());
    line.put("size", count);
    for (String name :
        new String[] {
          "copy", "bf16", "f16", "to_bf16", "to_f16", "pack_4", "unpack_4", "pack_8", "unpack_8"
        }) {
      line.put(name + "_billions_per_s", count / turns.seconds(name) / 1e9);
    }
  }
}
