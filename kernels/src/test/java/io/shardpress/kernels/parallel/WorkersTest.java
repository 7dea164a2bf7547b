package io.shardpress.kernels.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyPieceRunsOnce(int threads) {
    try (Workers workers = Workers.of(threads)) {
      assertThat(workers.threads()).isEqualTo(threads);
      for (int pieces : new int[] {0, 1, 2, 7, 1000}) {
        AtomicIntegerArray runs = new AtomicIntegerArray(pieces);
        workers.forEach(pieces, runs::incrementAndGet);
        for (int i = 0; i < pieces; i++) {
          assertThat(runs.get(i)).as("runs of piece %s", i).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void threadsRunAtOnce() {
    CyclicBarrier allHere = new CyclicBarrier(3);
    try (Workers workers = Workers.of(3)) {
      workers.forEach(
          3,
          i -> {
            try {
              allHere.await(30, TimeUnit.SECONDS);
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void failureIsThrownAfterTheOthersHaveEnded(int threads) {
    AtomicInteger atWork = new AtomicInteger();
    try (Workers workers = Workers.of(threads)) {
      assertThatThrownBy(
              () ->
                  workers.forEach(
                      100,
                      i -> {
                        atWork.incrementAndGet();
                        try {
                          if (i == 5) {
                            throw new ArithmeticException("piece 5");
                          }
                          Thread.onSpinWait();
                        } finally {
                          atWork.decrementAndGet();
                        }
                      }))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("piece 5");
      assertThat(atWork).hasValue(0);
      AtomicInteger after = new AtomicInteger();
      workers.forEach(4, i -> after.incrementAndGet());
      assertThat(after).hasValue(4);
    }
  }

  /** As a task that is killed: every thread that works for it stops at its next piece. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aCheckpointEndsItBetweenPieces(int threads) {
    AtomicInteger done = new AtomicInteger();
    AtomicBoolean killed = new AtomicBoolean();
    Runnable checkpoint =
        () -> {
          if (killed.get()) {
            throw new ArithmeticException("killed");
          }
        };
    try (Workers workers = Workers.of(threads, checkpoint)) {
      workers.forEach(100, i -> done.incrementAndGet());
      assertThat(done).hasValue(100);
      assertThatThrownBy(
              () ->
                  workers.forEach(
                      1_000_000,
                      i -> {
                        done.incrementAndGet();
                        killed.set(true);
                      }))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("killed");
      // Each thread has at most the piece that it had taken before it was told.
      assertThat(done.get() - 100).isBetween(1, threads);
      killed.set(false);
      workers.forEach(4, i -> done.incrementAndGet());
    }
  }

  @Test
  void nestedUseIsRefused() {
    try (Workers workers = Workers.of(2)) {
      assertThatThrownBy(() -> workers.forEach(2, i -> workers.forEach(2, j -> {})))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Workers.single()");
    }
  }

  @Test
  void zeroThreadsAreRefused() {
    assertThatThrownBy(() -> Workers.of(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads is 0, must be at least 1");
  }
}
