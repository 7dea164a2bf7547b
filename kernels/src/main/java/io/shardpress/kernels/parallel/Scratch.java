package io.shardpress.kernels.parallel;

import java.util.concurrent.ConcurrentLinkedQueue;

/** Arrays that pieces of work borrow and give back, so that no piece allocates its own. */
public final class Scratch {
  private final ConcurrentLinkedQueue<float[]> free = new ConcurrentLinkedQueue<>();

  /** An array of at least {@code length} elements with whatever was left in it. */
  public float[] borrow(int length) {
    float[] array = free.poll();
    return array == null || array.length < length ? new float[length] : array;
  }

  /** Gives an array back for the next piece. */
  public void giveBack(float[] array) {
    free.add(array);
  }
}
