package io.shardpress.spark.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who may work in a folder. Owners are this process, one that has ended, and machines elsewhere.
 */
class LeaseTest {
  private static final Lease.Times SHORT =
      new Lease.Times(Duration.ofMillis(100), Duration.ofMillis(700));

  @TempDir Path folder;
  private Path lock;

  @BeforeEach
  void place() {
    lock = folder.resolve("work/lock");
  }

  private Lease take() {
    return Lease.take(
        new org.apache.hadoop.fs.Path(lock.toString()), "OUTPUT", new Configuration(false), SHORT);
  }

  private void write(LeaseOwner owner) throws IOException {
    Files.createDirectories(lock.getParent());
    Files.writeString(lock, owner.json());
  }

  private static LeaseOwner elsewhere() {
    return new LeaseOwner("elsewhere", 1, "2020-01-01T00:00:00Z", "another boot", "token");
  }

  @Test
  void ofManyAtOnceOneWins() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Callable<Lease>> takers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      takers.add(this::take);
    }
    List<Lease> won = new ArrayList<>();
    int refused = 0;
    for (Future<Lease> outcome : threads.invokeAll(takers)) {
      try {
        won.add(outcome.get());
      } catch (java.util.concurrent.ExecutionException e) {
        assertThat(e.getCause())
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("process " + ProcessHandle.current().pid());
        refused++;
      }
    }
    threads.shutdown();
    assertThat(won).hasSize(1);
    assertThat(refused).isEqualTo(7);
    won.get(0).close();
    assertThat(lock).doesNotExist();
    take().close();
  }

  @Test
  void itIsKeptForLongerThanItWouldBeStale() throws Exception {
    try (Lease lease = take()) {
      Thread.sleep(2 * SHORT.stale().toMillis());
      assertThat(Files.getLastModifiedTime(lock).toMillis())
          .isGreaterThan(System.currentTimeMillis() - SHORT.stale().toMillis());
      assertThatThrownBy(this::take).hasMessageContaining("at work here");
      lease.check();
    }
  }

  @Test
  void aProcessThatHasEndedHoldsNothing() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    String started = ended.info().startInstant().map(Object::toString).orElse("");
    assertThat(ended.waitFor(10, TimeUnit.SECONDS)).isTrue();
    LeaseOwner me = LeaseOwner.ofThisProcess();
    write(new LeaseOwner(me.host(), ended.pid(), started, me.machine(), "token"));
    long start = System.nanoTime();
    take().close();
    assertThat(System.nanoTime() - start).isLessThan(SHORT.stale().toNanos());
    // Its number may be another process's by now: this one's, say.
    write(new LeaseOwner(me.host(), me.pid(), "2020-01-01T00:00:00Z", me.machine(), "token"));
    take().close();
  }

  @Test
  void ofAnotherMachineOnlyTimeTells() throws Exception {
    write(elsewhere());
    take().close();
    assertThat(lock).doesNotExist();

    write(elsewhere());
    Thread renewing =
        new Thread(
            () -> {
              try {
                for (int i = 0; i < 20; i++) {
                  Thread.sleep(100);
                  write(elsewhere());
                }
              } catch (InterruptedException | IOException e) {
                return;
              }
            });
    renewing.start();
    try {
      assertThatThrownBy(this::take)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("OUTPUT: found a run on elsewhere");
    } finally {
      renewing.interrupt();
      renewing.join(TimeUnit.MINUTES.toMillis(1));
      assertThat(renewing.isAlive()).isFalse();
    }
  }

  @Test
  void whoHasLostItIsToldSo() throws Exception {
    try (Lease lease = take()) {
      write(elsewhere());
      long start = System.nanoTime();
      while (lease.held()) {
        assertThat(System.nanoTime() - start).isLessThan(TimeUnit.MINUTES.toNanos(1));
        Thread.sleep(20);
      }
      assertThatThrownBy(lease::check)
          .hasMessageContaining("elsewhere")
          .hasMessageContaining("stops");
    }
    assertThat(lock).content().contains("elsewhere");
  }
}
