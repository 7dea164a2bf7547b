package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Softmax down the columns of a few vectors' width. Four rows at a time: a sum that is stored and
 * loaded again row by row waits for the store.
 */
final class VectorSoftmax {
  private VectorSoftmax() {}

  /** As {@link Loops#softmaxColumns}; width is a multiple of the lanes. */
  static void columns(float[] x, int rows, int width, float[] small, int largestAt, int sumsAt) {
    Arrays.fill(small, largestAt, largestAt + width, Float.NEGATIVE_INFINITY);
    Arrays.fill(small, sumsAt, sumsAt + width, 0);
    max(x, rows, width, small, largestAt);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, x, row * width + i)
            .sub(FloatVector.fromArray(F, small, largestAt + i))
            .intoArray(x, row * width + i);
      }
    }
    VectorExp.shifted(x, 0, rows * width, 0);
    add(x, rows, width, small, sumsAt);
  }

  private static void max(float[] x, int rows, int width, float[] largest, int at) {
    int row = 0;
    for (; row <= rows - 4; row += 4) {
      for (int i = 0; i < width; i += LANES) {
        int from = row * width + i;
        FloatVector.fromArray(F, largest, at + i)
            .max(FloatVector.fromArray(F, x, from))
            .max(FloatVector.fromArray(F, x, from + width))
            .max(FloatVector.fromArray(F, x, from + 2 * width))
            .max(FloatVector.fromArray(F, x, from + 3 * width))
            .intoArray(largest, at + i);
      }
    }
    for (; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, largest, at + i)
            .max(FloatVector.fromArray(F, x, row * width + i))
            .intoArray(largest, at + i);
      }
    }
  }

  private static void add(float[] x, int rows, int width, float[] sums, int at) {
    int row = 0;
    for (; row <= rows - 4; row += 4) {
      for (int i = 0; i < width; i += LANES) {
        int from = row * width + i;
        FloatVector.fromArray(F, sums, at + i)
            .add(FloatVector.fromArray(F, x, from))
            .add(FloatVector.fromArray(F, x, from + width))
            .add(FloatVector.fromArray(F, x, from + 2 * width))
            .add(FloatVector.fromArray(F, x, from + 3 * width))
            .intoArray(sums, at + i);
      }
    }
    for (; row < rows; row++) {
      for (int i = 0; i < width; i += LANES) {
        FloatVector.fromArray(F, sums, at + i)
            .add(FloatVector.fromArray(F, x, row * width + i))
            .intoArray(sums, at + i);
      }
    }
  }
}
