package io.shardpress.spark.trials;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.ChildProcess;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run that is told to end says what it keeps, in one line, and the same command goes on. */
class InterruptedRunTest {
  @TempDir Path temporary;

  private String[] words(String output) {
    return new String[] {
      "compress",
      SampleFiles.FOLDER.toString(),
      temporary.resolve(output).toString(),
      "--algorithm=gptq",
      "--samples=32",
      "--sequence-length=64",
      "--master=local[2]"
    };
  }

  @ParameterizedTest
  @CsvSource({"INT, 2", "TERM, 15"})
  void saysWhatItKeepsAndGoesOn(String signal, int number) throws Exception {
    assumeTrue(!ignored(number));
    Path err = temporary.resolve("err");
    Process process =
        ChildProcess.start(List.of(), temporary.resolve("out"), err, Map.of(), words("output"));
    Path parts = temporary.resolve("output/.shardpress/parts");
    long start = System.nanoTime();
    while (count(parts) < 20) {
      assertThat(process.isAlive()).as(() -> read(err)).isTrue();
      assertThat(System.nanoTime() - start).isLessThan(TimeUnit.MINUTES.toNanos(3));
      Thread.sleep(5);
    }
    assertThat(new ProcessBuilder("kill", "-" + signal, "" + process.pid()).start().waitFor())
        .isZero();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(() -> read(err)).isEqualTo(ExitCodes.INTERRUPTED);
    List<String> lines = Files.readAllLines(err);
    assertThat(lines.stream().filter(line -> line.startsWith("interrupted: ")))
        .singleElement()
        .asString()
        .contains("kept in", "output/.shardpress", "the same command goes on");
    assertThat(lines.subList(lines.indexOf(said(lines)) + 1, lines.size())).isEmpty();
    assertThat(read(err)).doesNotContain("Exception", "error: ");

    CommandRun again = CommandRun.of(words("output"));
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(again.err()).contains("in the part store");
    assertThat(again.line()).isEqualTo(CommandRun.of(words("undisturbed")).line());
  }

  private static String said(List<String> lines) {
    return lines.stream().filter(line -> line.startsWith("interrupted: ")).findFirst().orElse("");
  }

  /** Whoever starts tests in the background may have told them to ignore it. */
  private static boolean ignored(int signal) throws IOException {
    String mask =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .findFirst()
            .orElseThrow()
            .substring(7)
            .strip();
    return (Long.parseUnsignedLong(mask, 16) >> (signal - 1) & 1) == 1;
  }

  private static long count(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> !file.getFileName().toString().startsWith(".")).count();
    } catch (java.io.UncheckedIOException e) {
      // A file that was renamed meanwhile.
      return 0;
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
