package io.shardpress.kernels.parallel;

import java.util.function.IntConsumer;

enum SingleThread implements Workers {
  INSTANCE;

  @Override
  public int threads() {
    return 1;
  }

  @Override
  public void forEach(int pieces, IntConsumer body) {
    for (int i = 0; i < pieces; i++) {
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
