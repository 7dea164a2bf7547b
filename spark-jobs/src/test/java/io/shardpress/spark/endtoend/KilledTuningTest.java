package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A driver is killed on its way back through the model, and between steps by the end loss. */
class KilledTuningTest {
  private static final int KILLS = 3;

  @TempDir private Path folder;

  @Test
  void goesOnAndGivesTheSameBytes() throws Exception {
    Path model = SmallModel.write(folder.resolve("model"));
    Path recipe =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            "[{CoupledModifier: {scheme: W4A16_ASYM}}, {EndToEndModifier: {iterations: 6,"
                + " batch_size: 4, integers: 0.1}}]\n");
    int all;
    CommandRun undisturbed;
    Path own = folder.resolve("own");
    try (PartWatch watch = new PartWatch(own.resolve("parts"))) {
      undisturbed = CommandRun.of(words(model, recipe, folder.resolve("undisturbed"), own));
      assertThat(undisturbed.code()).as(undisturbed.err()).isZero();
      watch.drain();
      all = watch.different();
    }
    Path output = folder.resolve("output");
    Path work = folder.resolve("work");
    try (PartWatch watch = new PartWatch(work.resolve("parts"))) {
      for (int kill = 1; kill <= KILLS; kill++) {
        Process process = start("killed" + kill, model, recipe, output, work);
        while (watch.different() < all * kill / (KILLS + 1) && process.isAlive()) {
          Thread.sleep(1);
        }
        assertThat(process.isAlive()).as(log("killed" + kill)).isTrue();
        process.destroyForcibly();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        watch.drain();
      }
    }
    Process last = start("last", model, recipe, output, work);
    assertThat(last.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(last.exitValue()).as(log("last")).isZero();
    assertThat(Files.readString(folder.resolve("last.out"))).isEqualTo(undisturbed.out());
    assertThat(new Published(output).treeHash()).isEqualTo(undisturbed.line());
  }

  private String log(String name) throws IOException {
    return Files.readString(folder.resolve(name + ".err"));
  }

  private Process start(String name, Path model, Path recipe, Path output, Path work)
      throws IOException {
    return ChildProcess.start(
        folder.resolve(name + ".out"),
        folder.resolve(name + ".err"),
        Map.of(),
        words(model, recipe, output, work));
  }

  private static String[] words(Path model, Path recipe, Path output, Path work) {
    return new String[] {
      "compress",
      model.toString(),
      output.toString(),
      "--recipe=" + recipe,
      "--work=" + work,
      "--master=local[2]",
      "--samples=16",
      "--sequence-length=32"
    };
  }
}
