package io.shardpress.spark.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalProgressTest {
  private static final int COLUMNS = 90;

  @Test
  void drawsOneLineOverAndOver() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TerminalProgress progress =
        new TerminalProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), COLUMNS);
    progress.begin(6);
    progress.done("model.layers.0", 4.125, 0.012);
    progress.done("model.layers.1", 4.125, 0.0013);
    progress.end();
    progress.end();
    String written = bytes.toString(StandardCharsets.UTF_8);
    List<String> drawn =
        Arrays.stream(written.strip().split("\r")).filter(s -> !s.isBlank()).toList();
    assertThat(written).endsWith("\n");
    assertThat(written.strip()).startsWith("blocks").doesNotContain("\n");
    assertThat(drawn.get(drawn.size() - 1))
        .contains(" 2/6 ")
        .contains("/min")
        .contains("4.13 bits, rel.err 1.3e-3");
    assertThat(drawn).allMatch(line -> line.length() <= COLUMNS);
  }

  /** Whether the thread that draws has come to it yet or not. */
  @Test
  void endsTheLineOfARunThatIsOverAtOnce() {
    for (int run = 0; run < 200; run++) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      TerminalProgress progress =
          new TerminalProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), COLUMNS);
      progress.begin(1);
      progress.done("model.layers.0", 4.125, 0.012);
      progress.end();
      String written = bytes.toString(StandardCharsets.UTF_8);
      assertThat(written).endsWith("\n");
      assertThat(written.strip()).doesNotContain("\n");
    }
  }
}
