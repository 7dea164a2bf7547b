package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.CountingFileSystem;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many times a run reads a tensor or a part, counted by a file system. */
class ReadsTest {
  private static final String BLOCK = "model.layers.1.";

  /** 300 windows of 32 tokens: see SamplePartition. */
  private static final int PARTITIONS = 2;

  /** For its digest, and to be solved. */
  private static final int ALWAYS = 2;

  @TempDir Path temporary;

  /**
   * GPTQ takes each partition through the second block in four passes, one up to the inputs of each
   * stage, and in a fifth to its end. A pass reads the linears that it runs and no others; the
   * passes up to o and down read these two as well, since they are corrected for their outputs.
   */
  @Test
  void gptqReadsTheLinearsThatAPassRuns() throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    CountingFileSystem.reset();
    compress(
        CountingFileSystem.uri(model), "--algorithm=gptq", "--samples=300", "--sequence-length=32");
    Map<String, Integer> times = new TreeMap<>();
    for (Tensor tensor : SampleFiles.read(model, "model.safetensors")) {
      if (tensor.name().startsWith(BLOCK) && tensor.name().endsWith("_proj.weight")) {
        long length = tensor.bytes().length;
        long read =
            CountingFileSystem.bytes(
                model.resolve("model.safetensors"), tensor.position(), tensor.position() + length);
        assertThat(read % length).as(tensor.name()).isZero();
        times.put(
            tensor.name().replaceFirst(".*\\.(\\w+)_proj\\.weight", "$1"), (int) (read / length));
      }
    }
    int once = ALWAYS + PARTITIONS;
    int twice = ALWAYS + 2 * PARTITIONS;
    assertThat(times)
        .isEqualTo(
            Map.of(
                "q", once, "k", once, "v", once, "o", twice, "gate", once, "up", once, "down",
                twice));
  }

  /**
   * The driver opens each tile once, for its error; the task that publishes it once for codes and
   * once for scales, and reads neither for the other.
   */
  @Test
  void roundedTilesAreReadOnce() throws IOException {
    Path work = temporary.resolve("work");
    String model = SampleFiles.FOLDER.toString();
    CountingFileSystem.reset();
    compress(model, "--algorithm=rtn", "--scheme=W4A16", "--work=" + CountingFileSystem.uri(work));
    long read = 0;
    long length = 0;
    int tiles = 0;
    for (Path part : PartFiles.of(work).paths()) {
      if (!PartFiles.modules(List.of(part)).isEmpty()) {
        assertThat(CountingFileSystem.opened(part)).as("%s", part).isEqualTo(3);
        read += CountingFileSystem.bytes(part, 0, Long.MAX_VALUE);
        length += Files.size(part);
        tiles++;
      }
    }
    assertThat(tiles).isEqualTo(42);
    assertThat((double) read / length).isBetween(0.8, 1.3);
  }

  private void compress(String model, String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model, temporary.resolve("output").toString()));
    words.add("--master=local[2]");
    words.add(
        "--conf=spark.hadoop."
            + CountingFileSystem.SETTING
            + "="
            + CountingFileSystem.class.getName());
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
  }
}
