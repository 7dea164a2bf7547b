package io.shardpress.spark.layout;

import java.io.IOException;
import java.nio.file.Path;

/** For scripts/large-layouts: makes a folder with the headers of a large model and no weights. */
public final class GenerateLayout {
  private GenerateLayout() {}

  /** NAME FOLDER. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[1]);
    LayoutWriter writer = new LayoutWriter(folder, LayoutWriter.SPARSE);
    switch (args[0]) {
      case "llama-3.1-405b" ->
          writer.write(Llama.LLAMA_405B.tensors().all(), Llama.LLAMA_405B.config(), 191);
      case "deepseek-v3" -> writer.write(DeepSeek.V3.tensors().all(), DeepSeek.V3.config(), 163);
      case "deepseek-v3-bf16" -> {
        DeepSeek model = new DeepSeek(61, 3, 256, false);
        writer.write(model.tensors().all(), model.config(), 163);
      }
      default -> throw new IllegalArgumentException("no layout " + args[0]);
    }
  }
}
