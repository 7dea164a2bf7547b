package io.shardpress.spark.endtoend;

import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The sample's first two blocks as a model of their own, in one file. */
public final class SmallModel {
  private SmallModel() {}

  public static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    List<Tensor> tensors =
        SampleFiles.tensors().values().stream()
            .filter(tensor -> !tensor.name().matches("model\\.layers\\.[2-9]\\..*"))
            .toList();
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors);
    for (String name : List.of("config.json", "tokenizer.json", "calibration.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), folder.resolve(name));
    }
    SampleFiles.replace(
        folder.resolve("config.json"), "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 2");
    return folder;
  }
}
