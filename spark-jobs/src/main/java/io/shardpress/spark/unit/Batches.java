package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.BlockShape;

/** How many windows go through a block at once: by size, so that it is the same everywhere. */
public final class Batches {
  /**
   * Elements of the widest activation of a batch, unless a window alone has more: 1 MiB of f32, as
   * more would leave a core's own caches.
   */
  public static final long ELEMENTS = 1 << 18;

  private Batches() {}

  public static int windows(BlockShape shape, int window, int available) {
    long widest = Math.max(shape.ffn(), Math.max(shape.hidden(), shape.queryWidth()));
    return (int) Math.max(1, Math.min(available, ELEMENTS / (widest * window)));
  }
}
