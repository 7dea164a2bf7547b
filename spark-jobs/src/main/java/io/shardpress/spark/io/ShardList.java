package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Which files of a folder hold its tensors, by name.
 *
 * @param index what the folder's index says, where it was used
 */
record ShardList(CheckpointFolder folder, List<CheckpointFile> shards, Optional<ShardIndex> index) {
  private static final String SINGLE = "model.safetensors";
  private static final String EXTENSION = ".safetensors";

  static ShardList of(CheckpointFolder folder) {
    Map<String, CheckpointFile> files = folder.files();
    // The order in which Transformers looks for weights.
    if (files.containsKey(SINGLE)) {
      return new ShardList(folder, List.of(files.get(SINGLE)), Optional.empty());
    }
    if (files.containsKey(ShardIndex.FILE_NAME)) {
      return indexed(folder, files.get(ShardIndex.FILE_NAME));
    }
    List<CheckpointFile> all =
        files.values().stream().filter(file -> file.name().endsWith(EXTENSION)).toList();
    if (all.isEmpty()) {
      throw noShards(folder);
    }
    return new ShardList(folder, all, Optional.empty());
  }

  private static ShardList indexed(CheckpointFolder folder, CheckpointFile file) {
    ShardIndex index = ShardIndex.parse(file.uri(), folder.json(file));
    List<CheckpointFile> shards = new ArrayList<>();
    for (String name : new TreeSet<>(index.weightMap().values())) {
      CheckpointFile shard = folder.files().get(name);
      if (shard == null) {
        String tensor =
            index.weightMap().entrySet().stream()
                .filter(entry -> entry.getValue().equals(name))
                .findFirst()
                .orElseThrow()
                .getKey();
        throw new CheckpointException(
            String.format(
                "%s: tensor %s: found no file %s, which weight_map wants; fetch that shard",
                file.uri(), tensor, name));
      }
      shards.add(shard);
    }
    if (shards.isEmpty()) {
      throw new CheckpointException(file.uri() + ": found an empty weight_map, wanted tensors");
    }
    return new ShardList(folder, shards, Optional.of(index));
  }

  /** Checks that the index and the shards' headers name the same tensors in the same files. */
  void check(Map<String, TensorRef> tensors) {
    if (index.isEmpty()) {
      return;
    }
    String file = folder.uri() + "/" + ShardIndex.FILE_NAME;
    Map<String, String> map = index.get().weightMap();
    for (Map.Entry<String, String> entry : map.entrySet()) {
      TensorRef tensor = tensors.get(entry.getKey());
      if (tensor == null || !tensor.shard().equals(entry.getValue())) {
        String found = tensor == null ? "it in no shard" : "it in " + tensor.shard();
        throw new CheckpointException(
            String.format(
                "%s: tensor %s: found %s, wanted it in %s as weight_map says; index and shards are"
                    + " not of one checkpoint, fetch both again",
                file, entry.getKey(), found, entry.getValue()));
      }
    }
    for (TensorRef tensor : tensors.values()) {
      if (!map.containsKey(tensor.tensor())) {
        throw new CheckpointException(
            String.format(
                "%s: tensor %s: found it in %s, but weight_map has no entry for it; index and"
                    + " shards are not of one checkpoint, fetch both again",
                file, tensor.tensor(), tensor.shard()));
      }
    }
  }

  private static CheckpointException noShards(CheckpointFolder folder) {
    Optional<String> pickle =
        folder.files().keySet().stream()
            .filter(name -> name.matches(".*\\.(bin|pt|pth|ckpt|pkl|pickle)"))
            .findFirst();
    String what =
        pickle
            .map(
                name ->
                    "found PyTorch weights ("
                        + name
                        + "), which can run code when loaded and are not read; convert them:"
                        + " AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW,"
                        + " safe_serialization=True)")
            .orElse(
                "found no *.safetensors file; wanted a folder in Hugging Face layout"
                    + gguf(folder));
    return new CheckpointException(folder.uri() + ": " + what);
  }

  /** GGUF is an output alone. */
  private static String gguf(CheckpointFolder folder) {
    return folder.files().keySet().stream()
        .filter(name -> name.endsWith(".gguf"))
        .findFirst()
        .map(name -> ", not " + name + "; compress with --format compressed-tensors, too")
        .orElse("");
  }
}
