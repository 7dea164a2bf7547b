package io.shardpress.kernels.linalg;

import io.shardpress.kernels.parallel.Workers;
import java.util.Arrays;

/** Copies across diagonals, in square blocks that fit the first cache both ways. */
final class Mirror {
  private static final int BLOCK = 32;

  private Mirror() {}

  /** A[j,i] ← A[i,j] for j > i. */
  static void upperToLower(float[] a, int n, Workers workers) {
    int blocks = (n + BLOCK - 1) / BLOCK;
    // The longest row of blocks is the last one.
    workers.forEach(
        blocks,
        piece -> {
          int top = (blocks - 1 - piece) * BLOCK;
          int bottom = Math.min(n, top + BLOCK);
          for (int left = 0; left <= top; left += BLOCK) {
            for (int i = top; i < bottom; i++) {
              for (int j = left; j < Math.min(i, left + BLOCK); j++) {
                a[i * n + j] = a[j * n + i];
              }
            }
          }
        });
  }

  /** A[i,j] ← A[n−1−i,n−1−j], which is the array backwards. */
  static void reverse(float[] a, int n) {
    for (int i = 0, j = n * n - 1; i < j; i++, j--) {
      float kept = a[i];
      a[i] = a[j];
      a[j] = kept;
    }
  }

  /** Zeros above the diagonal. */
  static void clearUpper(float[] a, int n) {
    for (int i = 0; i < n; i++) {
      Arrays.fill(a, i * n + i + 1, (i + 1) * n, 0);
    }
  }
}
