package io.shardpress.kernels.reference;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
  private static final String SAMPLE = "sample-llama";
  private static final String STORIES = "stories260K";
  private static final Path SHARED = Path.of("../../shared");

  /** The sample of this project; and a second model where a folder beside the project has it. */
  public static Stream<GoldenModel> all() {
    List<GoldenModel> models = new ArrayList<>();
    models.add(read(SAMPLE, Path.of("../samples", SAMPLE), resource(SAMPLE)));
    Path second = SHARED.resolve("golden/" + STORIES + ".safetensors");
    if (Files.exists(second)) {
      models.add(read(STORIES, SHARED.resolve("models/" + STORIES), second));
    }
    return models.stream();
  }

  public DecoderNames names() {
    return DecoderNames.plain();
  }

  @Override
  public String toString() {
    return name;
  }

  private static GoldenModel read(String name, Path folder, Path golden) {
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
          TensorFile.of(golden));
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
