package io.shardpress.kernels.parallel;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/** One forEach: the pieces not yet taken, the threads still at work, the first failure. */
final class Round {
  private final int pieces;
  private final Runnable checkpoint;
  private final IntConsumer body;
  private final int others;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final CountDownLatch atWork;

  Round(int pieces, Runnable checkpoint, IntConsumer body, int others) {
    this.pieces = pieces;
    this.checkpoint = checkpoint;
    this.body = body;
    this.others = Math.max(others, 0);
    atWork = new CountDownLatch(this.others);
  }

  /** Takes pieces on the calling thread too, and returns when every thread is done. */
  void runOn(Executor executor) {
    for (int i = 0; i < others; i++) {
      executor.execute(
          () -> {
            takePieces();
            atWork.countDown();
          });
    }
    takePieces();
    awaitOthers();
    Throwable first = failure.get();
    if (first instanceof RuntimeException exception) {
      throw exception;
    }
    if (first instanceof Error error) {
      throw error;
    }
    if (first != null) {
      throw new IllegalStateException("a piece failed", first);
    }
  }

  // A failure ends the round early: pieces that nobody took yet are not started.
  private void takePieces() {
    try {
      for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
        checkpoint.run();
        body.accept(i);
      }
    } catch (Throwable thrown) {
      failure.compareAndSet(null, thrown);
      next.set(pieces);
    }
  }

  // The pieces write into the caller's arrays, so an interrupt must not leave them behind at work.
  private void awaitOthers() {
    boolean interrupted = false;
    while (true) {
      try {
        atWork.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
        next.set(pieces);
        failure.compareAndSet(null, new IllegalStateException("interrupted between pieces", e));
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
