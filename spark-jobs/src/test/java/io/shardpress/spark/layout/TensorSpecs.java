package io.shardpress.spark.layout;

import java.util.ArrayList;
import java.util.List;

/** Tensors of a model in the making, in the order in which they will lie in its shards. */
final class TensorSpecs {
  /** FP8 weights of DeepSeek have a scale for each block of so many rows and columns. */
  private static final long SCALE_BLOCK = 128;

  /**
   * @param dtype as safetensors calls it
   */
  record Spec(String name, String dtype, List<Long> shape) {
    long bytes() {
      long elements = shape.stream().reduce(1L, (a, b) -> a * b);
      return switch (dtype) {
        case "F32" -> 4 * elements;
        case "BF16" -> 2 * elements;
        case "F8_E4M3" -> elements;
        default -> throw new IllegalArgumentException(dtype);
      };
    }
  }

  private final List<Spec> all = new ArrayList<>();

  List<Spec> all() {
    return all;
  }

  void bf16(String name, long... shape) {
    add(name, "BF16", shape);
  }

  void f32(String name, long... shape) {
    add(name, "F32", shape);
  }

  /** A linear's weight in FP8 with weight_scale_inv, or in bf16. */
  void linear(String module, long out, long in, boolean fp8) {
    if (!fp8) {
      bf16(module + ".weight", out, in);
      return;
    }
    add(module + ".weight", "F8_E4M3", out, in);
    f32(module + ".weight_scale_inv", blocks(out), blocks(in));
  }

  private static long blocks(long side) {
    return (side + SCALE_BLOCK - 1) / SCALE_BLOCK;
  }

  private void add(String name, String dtype, long... shape) {
    List<Long> sides = new ArrayList<>();
    for (long side : shape) {
      sides.add(side);
    }
    all.add(new Spec(name, dtype, sides));
  }
}
