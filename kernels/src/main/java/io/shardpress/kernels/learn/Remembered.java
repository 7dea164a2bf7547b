package io.shardpress.kernels.learn;

/** Arrays of parameters, and a copy of them to go back to. */
final class Remembered {
  private final float[][] values;
  private float[][] copies;

  Remembered(float[]... values) {
    this.values = values;
  }

  void remember() {
    if (copies == null) {
      copies = new float[values.length][];
      for (int p = 0; p < values.length; p++) {
        copies[p] = values[p].clone();
      }
    } else {
      copy(values, copies);
    }
  }

  /**
   * @throws IllegalStateException where nothing was remembered
   */
  void recall() {
    if (copies == null) {
      throw new IllegalStateException("recall before anything was remembered");
    }
    copy(copies, values);
  }

  private static void copy(float[][] from, float[][] to) {
    for (int p = 0; p < from.length; p++) {
      System.arraycopy(from[p], 0, to[p], 0, from[p].length);
    }
  }
}
