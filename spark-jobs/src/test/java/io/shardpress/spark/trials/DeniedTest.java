package io.shardpress.spark.trials;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.spark.endtoend.ChildProcess;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What may not be read or written is told of as that, in processes that permissions bind. */
class DeniedTest {
  /** Root without the right to pass by permissions. */
  private static final List<String> BOUND =
      List.of(
          "setpriv",
          "--bounding-set=-dac_override,-dac_read_search",
          "--inh-caps=-dac_override,-dac_read_search");

  @TempDir Path temporary;

  private Path closed;

  private static boolean root() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  private String error(String... words) throws Exception {
    boolean root = Files.exists(Path.of("/proc/self")) && root();
    assumeTrue(!root || Files.isExecutable(Path.of("/usr/bin/setpriv")));
    Path err = temporary.resolve("err");
    Process process =
        ChildProcess.start(
            root ? BOUND : List.of(), temporary.resolve("out"), err, Map.of(), words);
    assertThat(process.waitFor()).as(() -> read(err)).isEqualTo(1);
    List<String> errors =
        Files.readAllLines(err).stream().filter(line -> line.startsWith("error: ")).toList();
    assertThat(errors).hasSize(1);
    return errors.get(0);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void close(Path path, String permissions) throws IOException {
    closed = path;
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  @AfterEach
  void open() throws IOException {
    if (closed != null) {
      Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void weights() throws Exception {
    Path model = BroughtModel.in(temporary.resolve("m")).single();
    close(model.resolve("model.safetensors"), "---------");
    assertThat(error("plan", model.toString(), "--algorithm=rtn"))
        .contains("model.safetensors", "permission denied");
  }

  @Test
  void aModelsFolder() throws Exception {
    Path model = BroughtModel.in(temporary.resolve("m")).single();
    close(model, "---------");
    assertThat(error("plan", model.toString(), "--algorithm=rtn")).contains("permission denied");
  }

  @Test
  void tokenizerTextAndRecipe() throws Exception {
    Path model = BroughtModel.in(temporary.resolve("m")).single();
    for (String name : List.of("tokenizer.json", "calibration.jsonl", "config.json")) {
      close(model.resolve(name), "---------");
      assertThat(
              error(
                  "compress",
                  model.toString(),
                  temporary.resolve("o").toString(),
                  "--algorithm=gptq",
                  "--samples=8",
                  "--sequence-length=16"))
          .contains(name, "permission denied");
      open();
    }
    Path recipe = Files.writeString(temporary.resolve("r.yaml"), "GPTQModifier: {scheme: W4A16}");
    close(recipe, "---------");
    assertThat(error("plan", model.toString(), "--recipe=" + recipe))
        .contains("r.yaml", "permission denied");
  }

  @Test
  void theFolderOfAnOutput() throws Exception {
    Path parent = Files.createDirectory(temporary.resolve("readonly"));
    close(parent, "r-xr-xr-x");
    String output = parent.resolve("o").toString();
    assertThat(error("compress", SampleFiles.FOLDER.toString(), output, "--algorithm=rtn"))
        .contains(output, "permission denied");
  }

  @Test
  void aFileWhereAFolderIsWanted() throws Exception {
    Path file = Files.writeString(temporary.resolve("file"), "x");
    String output = file.resolve("o").toString();
    assertThat(error("compress", SampleFiles.FOLDER.toString(), output, "--algorithm=rtn"))
        .contains(output, "a file stands where a folder is wanted");
    assertThat(error("compress", SampleFiles.FOLDER.toString(), file.toString(), "--algorithm=rtn"))
        .contains(file.toString(), "a file stands where a folder is wanted");
  }
}
