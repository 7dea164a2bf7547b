package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.CountingFileSystem;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How often a run reads each weight of a block, as a file system counts it. */
class ModelReadsTest {
  private static final String BLOCK = "model.layers.1.";

  /** 300 windows of 32 tokens: see SamplePartition. */
  private static final int PARTITIONS = 2;

  /** For its digest, and to be solved. */
  private static final int ALWAYS = 2;

  @TempDir Path temporary;

  /**
   * GPTQ takes each partition through the second block in four passes, one up to the inputs of each
   * stage, and in a fifth to its end. A pass reads what it runs and nothing else; those up to o and
   * down also read these, since what they are corrected for are outputs.
   */
  @Test
  void gptqReadsTheLinearsThatAPassRuns() throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    CountingFileSystem.reset();
    CommandRun run =
        CommandRun.of(
            "compress",
            CountingFileSystem.uri(model),
            temporary.resolve("output").toString(),
            "--algorithm=gptq",
            "--master=local[2]",
            "--conf=spark.hadoop." + CountingFileSystem.SETTING + "=" + CountingFileSystem.class.getName(),
            "--samples=300",
            "--sequence-length=32");
    assertThat(run.code()).as(run.err()).isZero();
    Map<String, Integer> times = new TreeMap<>();
    for (Tensor tensor : SampleFiles.read(model, "model.safetensors")) {
      if (tensor.name().startsWith(BLOCK) && tensor.name().endsWith("_proj.weight")) {
        long length = tensor.bytes().length;
        long read =
            CountingFileSystem.bytes(
                model.resolve("model.safetensors"), tensor.position(), tensor.position() + length);
        assertThat(read % length).as(tensor.name()).isZero();
        times.put(tensor.name().replaceFirst(".*\\.(\\w+)_proj\\.weight", "$1"), (int) (read / length));
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
}
