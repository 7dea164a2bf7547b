package io.shardpress.kernels.parallel;

import java.util.function.IntConsumer;

/** The calling thread alone: it takes all pieces, in their order. */
record CallingThread(Runnable checkpoint) implements Workers {
  static final CallingThread UNASKED = new CallingThread(() -> {});

  @Override
  public int threads() {
    return 1;
  }

  @Override
  public void forEach(int pieces, IntConsumer body) {
    for (int i = 0; i < pieces; i++) {
      checkpoint.run();
      body.accept(i);
    }
  }

  @Override
  public long cpuNanos() {
    return 0;
  }

  @Override
  public void close() {}
}
