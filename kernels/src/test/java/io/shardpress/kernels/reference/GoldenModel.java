package io.shardpress.kernels.reference;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * A trained model and what an independent float64 implementation computed with it: block outputs,
 * logits, gradients of block 1, and LRQ's rounding with its gradients.
 *
 * @param config config.json
 * @param weights the checkpoint's tensors
 * @param golden the reference numbers
 */
public record GoldenModel(String name, ModelConfig config, TensorFile weights, TensorFile golden) {
  /** The sample of this project, and a model trained by others. */
  public static Stream<GoldenModel> all() {
    return Stream.of(read("sample-llama"), read("stories260K"));
  }

  public DecoderNames names() {
    return DecoderNames.plain();
  }

  @Override
  public String toString() {
    return name;
  }

  private static GoldenModel read(String name) {
    Path folder = Path.of("../samples", name);
    try (Stream<Path> files = Files.list(folder)) {
      Path[] shards =
          files
              .filter(file -> file.toString().endsWith(".safetensors"))
              .sorted()
              .toArray(Path[]::new);
      Path config = folder.resolve("config.json");
      return new GoldenModel(
          name,
          ModelConfig.parse(config.toString(), Files.readAllBytes(config)),
          TensorFile.of(shards),
          TensorFile.of(resource(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path resource(String name) {
    try {
      return Path.of(GoldenModel.class.getResource("/golden/" + name + ".safetensors").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
