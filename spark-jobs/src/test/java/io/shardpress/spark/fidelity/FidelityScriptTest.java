package io.shardpress.spark.fidelity;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FidelityScriptTest {
  private static final int ROWS = 500;

  @TempDir private Path folder;

  private record Run(int code, List<String> out) {}

  private static Run run(String... args) {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      int code = FidelityScript.run(args);
      return new Run(code, out.toString(StandardCharsets.UTF_8).lines().toList());
    } finally {
      System.setOut(before);
    }
  }

  /** Rows that vLLM could not pack are measured all the same: the table is of learners. */
  @Test
  void everyShapeHasAFigure() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Files.copy(SampleFiles.FOLDER.resolve("heldout.jsonl"), model.resolve("heldout.jsonl"));
    SafetensorsWriter.write(
        model.resolve("model.safetensors"),
        SampleFiles.read(model, "model.safetensors").stream()
            .map(FidelityScriptTest::narrow)
            .toList());
    SampleFiles.replace(
        model.resolve("config.json"),
        "\"intermediate_size\": 512",
        "\"intermediate_size\": " + ROWS);

    Run run =
        run(
            model.toString(),
            "--samples=2",
            "--heldout=2",
            "--row=rtn",
            "--row=gptq",
            "--column=W2 per channel",
            "--column=W8A8",
            "--work=" + folder.resolve("work"));

    assertThat(run.code()).isZero();
    assertThat(run.out()).hasSizeGreaterThan(4);
    double[] rtn = divergences(run.out().get(2), "rtn");
    double[] gptq = divergences(run.out().get(3), "gptq");
    assertThat(rtn).hasSize(2);
    assertThat(gptq).hasSize(2);
    // Two bits lose more than eight, whoever rounds.
    assertThat(rtn[1]).isGreaterThan(rtn[0]).isPositive();
    assertThat(gptq[1]).isGreaterThan(gptq[0]).isPositive();
  }

  /** Of a row such as {@code | rtn | **0.12**, 4.80, … | … |}: each cell's first figure. */
  private static double[] divergences(String row, String learner) {
    List<String> cells = List.of(row.substring(1).split("\\|"));
    assertThat(cells.get(0).strip()).isEqualTo(learner);
    return cells.stream()
        .skip(1)
        .mapToDouble(cell -> Double.parseDouble(cell.replace("*", "").split(",")[0]))
        .toArray();
  }

  /** The first {@link #ROWS} channels of the MLP. */
  private static Tensor narrow(Tensor tensor) {
    byte[] bytes = tensor.bytes();
    int rows = Math.toIntExact(tensor.shape().get(0));
    int row = bytes.length / rows;
    List<Long> shape;
    byte[] kept;
    if (tensor.name().contains("gate_proj") || tensor.name().contains("up_proj")) {
      shape = List.of((long) ROWS, tensor.shape().get(1));
      kept = Arrays.copyOf(bytes, ROWS * row);
    } else if (tensor.name().contains("down_proj")) {
      shape = List.of(tensor.shape().get(0), (long) ROWS);
      kept = new byte[rows * ROWS * 2];
      for (int i = 0; i < rows; i++) {
        System.arraycopy(bytes, i * row, kept, i * ROWS * 2, ROWS * 2);
      }
    } else {
      return tensor;
    }
    return new Tensor(tensor.name(), tensor.dtype(), shape, "", 0, kept);
  }

  @Test
  void namesThatItDoesNotKnowAreRefused() {
    Path work = folder.resolve("work");
    String model = SampleFiles.FOLDER.toString();
    assertThat(run(model, "--row=none", "--work=" + work).code()).isEqualTo(ExitCodes.WRONG_USAGE);
    assertThat(run(model, "--column=W9", "--work=" + work).code()).isEqualTo(ExitCodes.WRONG_USAGE);
  }
}
