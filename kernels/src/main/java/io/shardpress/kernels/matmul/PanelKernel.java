package io.shardpress.kernels.matmul;

/**
 * The Vector API's micro-kernel for callers that keep their operands in its order themselves: A in
 * panels of {@link #rows} rows, B in panels of {@link #columns} columns, in a panel step of depth
 * after step of depth. Sums do not depend on the vectors' width.
 */
public final class PanelKernel {
  private final MicroKernel kernel;

  private PanelKernel(MicroKernel kernel) {
    this.kernel = kernel;
  }

  /** The kernel of this process, or null where it is to use no vectors. */
  public static PanelKernel chosen() {
    int bits = VectorWidth.chosen();
    return bits == 0 ? null : new PanelKernel(MicroKernel.of(bits));
  }

  /** Rows of a panel of A. */
  public int rows() {
    return kernel.rows();
  }

  /** Columns of a panel of B. */
  public int columns() {
    return kernel.columns();
  }

  /** C[rows × columns] += A panel · B panel. */
  public void run(
      int depth,
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      float[] c,
      int cOffset,
      int stride) {
    kernel.run(depth, a, aOffset, b, bOffset, c, cOffset, stride);
  }

  /**
   * Packs {@code count} rows of {@code depth} elements as the {@code width} lines of a panel; lines
   * that are missing are zero.
   */
  public static void packAlong(
      float[] from, int at, int stride, int count, int depth, int width, float[] to, int toAt) {
    Matrix rows = new Matrix("the rows to pack", from, at, count, depth, stride);
    PackedPanels.packAlong(rows, 0, count, 0, depth, width, to, toAt);
  }

  /**
   * Packs {@code count} columns of {@code depth} rows as the {@code width} lines of a panel; lines
   * that are missing are zero.
   */
  public static void packAcross(
      float[] from, int at, int stride, int count, int depth, int width, float[] to, int toAt) {
    Matrix columns = new Matrix("the columns to pack", from, at, depth, count, stride);
    PackedPanels.packAcross(columns, 0, count, 0, depth, width, to, toAt);
  }
}
