package io.shardpress.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.app.options.ExitCodes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LastResortTest {
  /** A process with a shutdown hook that waits for ever. */
  static final class Stuck {
    private Stuck() {}

    public static void main(String[] args) {
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    while (true) {
                      try {
                        Thread.sleep(Long.MAX_VALUE);
                      } catch (InterruptedException e) {
                        // It goes on waiting: that is what it is for.
                      }
                    }
                  }));
      LastResort.endsWith(ExitCodes.LIMIT_EXCEEDED, Duration.ofMillis(Long.parseLong(args[0])));
      System.exit(ExitCodes.LIMIT_EXCEEDED);
    }
  }

  private static Process stuck(long patience) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(
            java,
            "-cp",
            System.getProperty("java.class.path"),
            Stuck.class.getName(),
            Long.toString(patience))
        .start();
  }

  @Test
  void aHookThatHangsDoesNotHoldTheProcess() throws Exception {
    Process process = stuck(500);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(ExitCodes.LIMIT_EXCEEDED);
  }

  /** What the test above shows is not the hook's own end. */
  @Test
  void withoutItTheProcessWouldHang() throws Exception {
    Process process = stuck(Long.MAX_VALUE);
    try {
      assertThat(process.waitFor(3, TimeUnit.SECONDS)).isFalse();
    } finally {
      process.destroyForcibly();
    }
  }
}
