package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.ShardChoice;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which files of a folder hold its tensors, by name.
 *
 * @param index what the folder's index says, where it was used
 * @param notes what users should know of other files
 */
record ShardList(
    CheckpointFolder folder,
    List<CheckpointFile> shards,
    Optional<ShardIndex> index,
    List<String> notes) {
  static ShardList of(CheckpointFolder folder) {
    if (folder.isFile()) {
      return new ShardList(
          folder, List.copyOf(folder.files().values()), Optional.empty(), List.of());
    }
    Optional<ShardIndex> index =
        Optional.ofNullable(folder.files().get(ShardIndex.FILE_NAME))
            .map(file -> ShardIndex.parse(file.uri(), folder.json(file)));
    ShardChoice choice =
        ShardChoice.of(
            folder.uri(), folder.files().keySet(), index, name -> folder.find(name).isPresent());
    if (choice.files().isEmpty()) {
      // A listing that is late has neither of these two.
      if (folder.find(ShardIndex.FILE_NAME).isPresent()
          || folder.find(ShardChoice.SINGLE).isPresent()) {
        return of(folder);
      }
      throw noShards(folder);
    }
    List<CheckpointFile> shards = new ArrayList<>();
    for (String name : choice.files()) {
      shards.add(folder.find(name).orElseThrow());
    }
    return new ShardList(folder, shards, index, choice.notes());
  }

  /**
   * Checks that the index and the shards' headers name the same tensors in the same files.
   *
   * @param spare whether the model does without a tensor of that name, so that the index may list
   *     it and no shard hold it
   * @return what the index lists, and no shard holds
   */
  List<String> check(Map<String, TensorRef> tensors, Predicate<String> spare) {
    List<String> absent = new ArrayList<>();
    if (index.isEmpty()) {
      return absent;
    }
    String file = folder.uri() + "/" + ShardIndex.FILE_NAME;
    Map<String, String> map = index.get().weightMap();
    for (Map.Entry<String, String> entry : map.entrySet()) {
      TensorRef tensor = tensors.get(entry.getKey());
      if (tensor == null && spare.test(entry.getKey())) {
        absent.add(entry.getKey());
      } else if (tensor == null) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found it in no shard, wanted it in %s as weight_map says; that"
                    + " shard holds %d of the %d tensors listed for it: fetch it again, and"
                    + " the index with it",
                file,
                entry.getKey(),
                entry.getValue(),
                held(tensors, map, entry.getValue()),
                map.values().stream().filter(entry.getValue()::equals).count()));
      } else if (!tensor.shard().equals(entry.getValue())) {
        throw new CheckpointException(
            String.format(
                "%s: tensor %s: found it in %s, wanted it in %s as weight_map says; index and shards"
                    + " are not of one saving: fetch the index again, or remove it, and the shards"
                    + " are read by what they hold",
                file, entry.getKey(), tensor.shard(), entry.getValue()));
      }
    }
    for (TensorRef tensor : tensors.values()) {
      if (!map.containsKey(tensor.tensor())) {
        throw new CheckpointException(
            String.format(
                "%s: tensor %s: found it in %s, but weight_map has no entry for it; index and"
                    + " shards are not of one saving: fetch the index again, or remove it, and the"
                    + " shards are read by what they hold",
                file, tensor.tensor(), tensor.shard()));
      }
    }
    return absent;
  }

  private static long held(Map<String, TensorRef> tensors, Map<String, String> map, String shard) {
    return map.entrySet().stream()
        .filter(entry -> entry.getValue().equals(shard) && tensors.containsKey(entry.getKey()))
        .count();
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
