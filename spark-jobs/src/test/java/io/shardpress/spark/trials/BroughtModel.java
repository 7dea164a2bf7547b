package io.shardpress.spark.trials;

import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** The sample's first two blocks as people bring them: renamed, split, with an index or without. */
final class BroughtModel {
  static final String HEAD = "lm_head.weight";
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String INDEX = "model.safetensors.index.json";
  static final String SINGLE = "model.safetensors";

  private final Path folder;
  private List<Tensor> tensors =
      new ArrayList<>(
          SampleFiles.tensors().values().stream()
              .filter(tensor -> !tensor.name().matches("model\\.layers\\.[2-9]\\..*"))
              .toList());

  private BroughtModel(Path folder) {
    this.folder = folder;
  }

  /** A folder with config, tokenizer and texts, and no weights yet. */
  static BroughtModel in(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (String name : List.of("config.json", "tokenizer.json", "calibration.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), folder.resolve(name));
    }
    SampleFiles.replace(
        folder.resolve("config.json"), "\"num_hidden_layers\": 6", "\"num_hidden_layers\": 2");
    return new BroughtModel(folder);
  }

  /** The embedding's bytes as a head of its own, which config.json tells of. */
  BroughtModel untied() throws IOException {
    Tensor embedding =
        tensors.stream().filter(one -> one.name().equals(EMBEDDING)).findFirst().orElseThrow();
    tensors.add(renamed(embedding, HEAD));
    SampleFiles.replace(
        folder.resolve("config.json"),
        "\"tie_word_embeddings\": true",
        "\"tie_word_embeddings\": false");
    return this;
  }

  BroughtModel named(UnaryOperator<String> names) {
    tensors =
        new ArrayList<>(
            tensors.stream().map(one -> renamed(one, names.apply(one.name()))).toList());
    return this;
  }

  static Tensor renamed(Tensor one, String name) {
    return new Tensor(name, one.dtype(), one.shape(), one.shard(), one.position(), one.bytes());
  }

  /** The bytes of a tensor, which stay where they are, for a test to change. */
  byte[] bytes(String name) {
    return tensors.stream()
        .filter(one -> one.name().equals(name))
        .findFirst()
        .orElseThrow()
        .bytes();
  }

  Path single() throws IOException {
    SafetensorsWriter.write(folder.resolve(SINGLE), tensors);
    return folder;
  }

  /** The same with zeros in place of all weights. */
  Path singleOfZeros() throws IOException {
    SafetensorsWriter.write(
        folder.resolve(SINGLE),
        tensors.stream()
            .map(
                one ->
                    new Tensor(
                        one.name(),
                        one.dtype(),
                        one.shape(),
                        one.shard(),
                        one.position(),
                        new byte[one.bytes().length]))
            .toList());
    return folder;
  }

  /** A single file with metadata as a JSON object's inner text. */
  Path single(String metadata) throws IOException {
    Path file = folder.resolve(SINGLE);
    SafetensorsWriter.write(file, tensors);
    byte[] all = Files.readAllBytes(file);
    int length =
        (int) java.nio.ByteBuffer.wrap(all).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
    String header = new String(all, 8, length, StandardCharsets.UTF_8);
    byte[] data = java.util.Arrays.copyOfRange(all, 8 + length, all.length);
    SafetensorsWriter.write(
        file, "{\"__metadata__\":{" + metadata + "}," + header.substring(1), data);
    return folder;
  }

  /** Two shards, tensor by tensor in turn. */
  Path shards(boolean index) throws IOException {
    TreeMap<String, String> map = new TreeMap<>();
    for (int shard = 0; shard < 2; shard++) {
      String file = String.format(Locale.ROOT, "model-%05d-of-00002.safetensors", shard + 1);
      List<Tensor> some = new ArrayList<>();
      for (int i = shard; i < tensors.size(); i += 2) {
        some.add(tensors.get(i));
        map.put(tensors.get(i).name(), file);
      }
      SafetensorsWriter.write(folder.resolve(file), some);
    }
    if (index) {
      List<String> entries = new ArrayList<>();
      map.forEach((name, file) -> entries.add("\"" + name + "\": \"" + file + "\""));
      Files.writeString(
          folder.resolve(INDEX),
          "{\"metadata\": {}, \"weight_map\": {" + String.join(",\n", entries) + "}}");
    }
    return folder;
  }

  BroughtModel without(String name) {
    tensors.removeIf(one -> one.name().equals(name));
    return this;
  }
}
