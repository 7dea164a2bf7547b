package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver that is killed, as by kill -9, and started again until it is done. Its process is a real
 * one, and what it did is told by the file system, not by itself. -Dshardpress.kills=25 kills it
 * more often, -Dshardpress.seed=N at other moments.
 */
class KilledRunTest {
  private static final int KILLS = Integer.getInteger("shardpress.kills", 2);
  private static final long SEED = Long.getLong("shardpress.seed", 1);

  /** Parts of an undisturbed run: six blocks of 20, tokens, embeddings and two of digests. */
  private static final int PARTS = 124;

  /** Two cores, and no unit of this run has more than two parts. */
  private static final int PARTS_IN_FLIGHT = 4;

  @TempDir Path temporary;

  @Test
  void goesOnWhereItWasAndMendsWhatIsBad() throws Exception {
    CommandRun undisturbed =
        CommandRun.of(words(temporary.resolve("undisturbed"), temporary.resolve("own")));
    assertThat(undisturbed.code()).as(undisturbed.err()).isZero();

    Path output = temporary.resolve("output");
    Random random = new Random(SEED);
    Path work = temporary.resolve("work");
    try (PartWatch watch = new PartWatch(work.resolve("parts"))) {
      int twice = 0;
      for (int kill = 1; kill <= KILLS; kill++) {
        // Spread over the run's parts, so that kills fall into all of its blocks.
        int moment = PARTS * kill / (KILLS + 1) - random.nextInt(PARTS / (KILLS + 1) / 2 + 1);
        Process process = start("killed" + kill, output, work);
        long start = System.nanoTime();
        while (watch.different() < moment && process.isAlive()) {
          assertThat(System.nanoTime() - start).isLessThan(TimeUnit.MINUTES.toNanos(5));
          Thread.sleep(1);
        }
        assertThat(process.isAlive()).as(() -> log("killed")).isTrue();
        if (kill == 1) {
          CommandRun second = CommandRun.of(words(output, work));
          assertThat(second.code()).isEqualTo(1);
          assertThat(second.errors().toString())
              .contains(output.toString(), "process " + process.pid());
        }
        process.destroyForcibly();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        watch.drain();
        int again = watch.again();
        assertThat(again - twice)
            .as("parts made again after kill %d", kill)
            .isLessThanOrEqualTo(PARTS_IN_FLIGHT);
        twice = again;
      }
    }
    assertThat(output.resolve("shardpress.json")).doesNotExist();

    // What lies there now is of every kind that a run leaves: each file loses a bit.
    PartFiles left = PartFiles.of(work);
    for (Path part : left.paths()) {
      byte[] bytes = Files.readAllBytes(part);
      // A kill may have come before the first byte of a file.
      if (bytes.length > 0) {
        bytes[bytes.length / 2] ^= 0x10;
        Files.write(part, bytes);
      }
    }
    Process process = start("last", output, work);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(() -> log("last")).isZero();
    assertThat(Files.readString(temporary.resolve("last.out"))).isEqualTo(undisturbed.out());
    assertThat(log("last"))
        .doesNotContain("waiting for")
        .containsPattern("warning: .*/parts/../[0-9a-f]{64}\\.arrow: .*; it is made again")
        .containsPattern("[1-5] of 6 blocks are in the part store, [1-5] to do");
    assertThat(new Published(output).treeHash()).isEqualTo(undisturbed.line());
  }

  private String log(String name) {
    try {
      return Files.readString(temporary.resolve(name + ".err"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Process start(String name, Path output, Path work) throws IOException {
    return ChildProcess.start(
        temporary.resolve(name + ".out"),
        temporary.resolve(name + ".err"),
        Map.of(),
        words(output, work));
  }

  private static String[] words(Path output, Path work) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", SampleFiles.FOLDER.toString(), output.toString()));
    words.addAll(List.of("--work=" + work, "--algorithm=gptq", "--master=local[2]"));
    words.addAll(List.of("--samples=16", "--sequence-length=32"));
    words.addAll(List.of("--format=compressed-tensors", "--format=gguf"));
    return words.toArray(String[]::new);
  }
}
