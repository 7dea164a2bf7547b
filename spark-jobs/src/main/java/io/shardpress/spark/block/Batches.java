package io.shardpress.spark.block;

import io.shardpress.kernels.nn.BlockShape;

/** How many windows go through a block at once: by size, so that it is the same everywhere. */
public final class Batches {
  /**
   * Elements of the widest activation of a batch, unless a window alone has more: 1 MiB of f32, as
   * more would leave a core's own caches.
   */
  public static final long ELEMENTS = 1 << 18;

  private Batches() {}

  /**
   * Tokens of a batch that goes through a mixture of experts: of each expert's weights, which are
   * read for every batch, more tokens are worth more than caches are.
   */
  public static final int MIXTURE_TOKENS = 8192;

  public static int windows(BlockShape shape, int window, int available) {
    if (shape.mixture() != null) {
      return Math.max(1, Math.min(available, MIXTURE_TOKENS / window));
    }
    long widest = Math.max(shape.ffn(), Math.max(shape.hidden(), shape.queryWidth()));
    return (int) Math.max(1, Math.min(available, ELEMENTS / (widest * window)));
  }
}
