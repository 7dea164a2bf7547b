package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver that rounds in one pass is killed, as by kill -9, and started again. What it did is told
 * by the file system: a file that was written again is another file.
 */
class KilledOnePassTest {
  /** Whole shards at which it is killed, of some forty. */
  private static final int WHOLE = 6;

  @TempDir Path temporary;

  @Test
  void goesOnWithTheShardsThatAreWhole() throws Exception {
    CommandRun undisturbed = CommandRun.of(words(temporary.resolve("undisturbed")));
    assertThat(undisturbed.code()).as(undisturbed.err()).isZero();
    long shards =
        new Published(temporary.resolve("undisturbed"))
            .files().stream().filter(file -> file.endsWith(".gguf")).count();

    Path output = temporary.resolve("output");
    Path waiting = output.resolve(".shardpress/shards");
    Process process = start("killed", output);
    while (whole(waiting).size() < WHOLE && process.isAlive()) {
      Thread.sleep(1);
    }
    assertThat(process.isAlive()).as(() -> log("killed")).isTrue();
    process.destroyForcibly();
    process.waitFor();

    assertThat(names(output)).containsExactly(".shardpress");
    Map<String, Object> left = whole(waiting);
    assertThat(left.size()).isBetween(WHOLE, (int) shards - 1);
    List<String> names = left.keySet().stream().sorted().toList();
    // What a kill between two renames leaves, and what a bad disk makes of another shard.
    Files.move(waiting.resolve(names.get(0)), output.resolve(names.get(0)));
    byte[] bytes = Files.readAllBytes(waiting.resolve(names.get(1)));
    bytes[bytes.length / 2] ^= 0x10;
    Files.write(waiting.resolve(names.get(1)), bytes);

    Process second = start("second", output);
    assertThat(second.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(second.exitValue()).as(() -> log("second")).isZero();
    assertThat(Files.readString(temporary.resolve("second.out"))).isEqualTo(undisturbed.out());
    assertThat(new Published(output).treeHash()).isEqualTo(undisturbed.line());
    assertThat(log("second"))
        .containsPattern("warning: .*" + names.get(1) + ": found other bytes .*; it is made again")
        .containsPattern("[0-9]+ of " + shards + " shards are in the part store, [0-9]+ to do");
    Map<String, Object> published = files(output, name -> left.containsKey(name));
    int kept = 0;
    for (String name : names) {
      kept += published.get(name).equals(left.get(name)) ? 1 : 0;
    }
    // A kill can come when a shard is whole and its record is not: one for each core.
    assertThat(kept).isBetween(left.size() - 3, left.size() - 1);
    assertThat(published.get(names.get(1))).isNotEqualTo(left.get(names.get(1)));
  }

  /** Files that have left their attempts' names, and what tells each from another of its name. */
  private static Map<String, Object> whole(Path folder) throws IOException {
    return files(folder, name -> !name.startsWith("."));
  }

  private static Map<String, Object> files(Path folder, java.util.function.Predicate<String> wanted)
      throws IOException {
    Map<String, Object> keys = new HashMap<>();
    for (String name : names(folder)) {
      if (wanted.test(name)) {
        Path file = folder.resolve(name);
        keys.put(
            name, Files.getAttribute(file, "unix:ino") + " " + Files.getLastModifiedTime(file));
      }
    }
    return keys;
  }

  private static List<String> names(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(file -> file.getFileName().toString()).toList();
    }
  }

  private String log(String name) {
    try {
      return Files.readString(temporary.resolve(name + ".err"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Process start(String name, Path output) throws IOException {
    return ChildProcess.start(
        temporary.resolve(name + ".out"),
        temporary.resolve(name + ".err"),
        Map.of(),
        words(output));
  }

  /** A search for steps takes so long that there is time between shards. */
  private static String[] words(Path output) {
    return new String[] {
      "compress",
      SampleFiles.FOLDER.toString(),
      output.toString(),
      "--algorithm=easyquant",
      "--scheme=W4A16",
      "--group-size=32",
      "--format=gguf",
      "--gguf-split-size=50K",
      "--master=local[2]"
    };
  }
}
