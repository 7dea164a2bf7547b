package io.shardpress.kernels.linalg;

/** Where a recursion splits. */
final class Halves {
  private Halves() {}

  /** About half of a size above a diagonal block's, in whole diagonal blocks. */
  static int first(int size) {
    int blocks = (size + DiagonalBlock.SIZE - 1) / DiagonalBlock.SIZE;
    return (blocks + 1) / 2 * DiagonalBlock.SIZE;
  }
}
