package io.shardpress.kernels.matmul;

/**
 * A block of a factor in the order in which the micro-kernel reads it: panels of {@code width} rows
 * of op(A), or columns of op(B); in a panel, step of depth after step of depth, {@code width}
 * elements each. What a last panel lacks is zero, so that the kernel knows no edges.
 */
final class PackedPanels {
  private final int width;
  private float[] data = new float[0];
  private int depth;

  PackedPanels(int width) {
    this.width = width;
  }

  /** Makes room for a block; what was packed before is lost. */
  void reserve(int across, int depth) {
    this.depth = depth;
    int wanted = Math.multiplyExact(panels(across) * width, depth);
    if (data.length < wanted) {
      data = new float[wanted];
    }
  }

  int panels(int across) {
    return (across + width - 1) / width;
  }

  float[] data() {
    return data;
  }

  /** Where a panel's step of depth starts. */
  int at(int panel, int step) {
    return (panel * depth + step) * width;
  }

  /**
   * Packs one panel of a block of a matrix.
   *
   * @param alongRows whether depth runs along the rows of the matrix as it lies
   * @param across the block's first row of op(A), or column of op(B)
   * @param extent how many of them the block has
   * @param from the block's first step of depth
   */
  void pack(Matrix matrix, boolean alongRows, int panel, int across, int extent, int from) {
    int first = panel * width;
    int count = Math.min(width, extent - first);
    if (alongRows) {
      packAlong(matrix, across + first, count, from, depth, width, data, at(panel, 0));
    } else {
      packAcross(matrix, across + first, count, from, depth, width, data, at(panel, 0));
    }
  }

  /**
   * Packs {@code count} rows of a matrix, from {@code across} on, as the {@code width} lines of a
   * panel at {@code to}: depth runs along the rows. Lines that are missing are zero.
   */
  static void packAlong(
      Matrix matrix, int across, int count, int from, int depth, int width, float[] data, int to) {
    float[] source = matrix.data();
    int i = 0;
    // Four rows at a time fill a line of the panel sooner than one.
    for (; i + 4 <= count; i += 4) {
      int first = matrix.at(across + i, from);
      int second = first + matrix.stride();
      int third = second + matrix.stride();
      int fourth = third + matrix.stride();
      for (int l = 0; l < depth; l++) {
        int at = to + l * width + i;
        data[at] = source[first + l];
        data[at + 1] = source[second + l];
        data[at + 2] = source[third + l];
        data[at + 3] = source[fourth + l];
      }
    }
    for (; i < count; i++) {
      int row = matrix.at(across + i, from);
      for (int l = 0; l < depth; l++) {
        data[to + l * width + i] = source[row + l];
      }
    }
    for (; i < width; i++) {
      for (int l = 0; l < depth; l++) {
        data[to + l * width + i] = 0;
      }
    }
  }

  /** As {@link #packAlong} for columns: depth runs down them. */
  static void packAcross(
      Matrix matrix, int across, int count, int from, int depth, int width, float[] data, int to) {
    for (int l = 0; l < depth; l++) {
      int at = to + l * width;
      System.arraycopy(matrix.data(), matrix.at(from + l, across), data, at, count);
      for (int i = count; i < width; i++) {
        data[at + i] = 0;
      }
    }
  }
}
