package io.shardpress.spark.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class StandaloneMasterTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @Test
  void nobodyListens() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String url = "spark://127.0.0.1:" + port;
    assertThatThrownBy(() -> StandaloneMaster.open(url, SECOND, () -> 1))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(url, "within 1 s", "refused", "--master");
  }

  @Test
  void aHostThatIsNotKnownIsToldOfAtOnce() {
    assertThatThrownBy(
            () ->
                StandaloneMaster.open(
                    "spark://no-such-host.invalid:7077", Duration.ofDays(1), () -> 1))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("no-such-host.invalid is not known");
    assertThatThrownBy(() -> StandaloneMaster.open("spark://host", SECOND, () -> 1))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("spark://HOST:PORT");
  }

  @Test
  void somethingElseListens() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    try (ServerSocket other = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      String url = "spark://127.0.0.1:" + other.getLocalPort();
      assertThatThrownBy(
              () ->
                  StandaloneMaster.open(
                      url,
                      SECOND,
                      () -> {
                        try {
                          never.await();
                        } catch (InterruptedException e) {
                          Thread.currentThread().interrupt();
                        }
                        return 1;
                      }))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContainingAll(url, "did not answer as a Spark master within 1 s");
      assertThat(StandaloneMaster.open(url, SECOND, () -> 7)).isEqualTo(7);
      assertThatThrownBy(
              () ->
                  StandaloneMaster.open(
                      url,
                      SECOND,
                      () -> {
                        throw new IllegalStateException("its own");
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("its own");
    } finally {
      never.countDown();
    }
  }

  @Test
  void othersAreOpenedAsTheyAre() {
    assertThat(StandaloneMaster.open("local[2]", Duration.ZERO, () -> 3)).isEqualTo(3);
  }
}
