package io.shardpress.kernels.matmul;

import java.util.Locale;

/** The innermost product: a tile of C that stays in registers while a panel of A and B pass by. */
interface MicroKernel {
  /** Rows of a tile, and of a panel of A. */
  int rows();

  /** Columns of a tile, and of a panel of B. */
  int columns();

  /**
   * C[rows×columns] ← C + A·B, summed in the order of the panels' depth. A's panel holds a column
   * of {@code rows} elements for each step of depth, B's a row of {@code columns}.
   */
  void run(
      int depth,
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      float[] c,
      int cOffset,
      int stride);

  static MicroKernel of(int bits) {
    return switch (bits) {
      case 512 -> new MicroKernel512();
      case 256 -> new MicroKernel256();
      case 128 -> new MicroKernel128();
      default ->
          throw new IllegalArgumentException(
              String.format(Locale.ROOT, "no micro-kernel of %d bits", bits));
    };
  }
}
