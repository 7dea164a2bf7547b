package io.shardpress.spark.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.safetensors.ShardIndex;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Small files that folders of several formats have. Their bytes follow from the model alone. */
public final class FolderFiles {
  private static final Pattern COPIED =
      Pattern.compile(
          "(tokenizer.*|vocab\\..*|merges\\.txt|special_tokens_map\\.json|added_tokens\\.json"
              + "|generation_config\\.json|chat_template.*|(pre)?processor_config\\.json"
              + "|.*\\.tiktoken|.*\\.model|LICENSE.*|NOTICE.*|.*\\.py)");
  private static final Pattern TERMS = Pattern.compile("(LICENSE|NOTICE).*");
  private static final List<String> USUAL =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json",
          "chat_template.jinja");
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private FolderFiles() {}

  /** The files that a checkpoint is used with, byte for byte: tokenizer, licence, code. */
  public static Map<String, byte[]> copied(Checkpoint checkpoint) {
    return copied(checkpoint, COPIED);
  }

  /** The files that say on what terms a model may be used. */
  public static Map<String, byte[]> terms(Checkpoint checkpoint) {
    return copied(checkpoint, TERMS);
  }

  private static Map<String, byte[]> copied(Checkpoint checkpoint, Pattern which) {
    Map<String, byte[]> files = new TreeMap<>();
    // A listing may be late: what nearly all models have is asked for by its name.
    USUAL.forEach(checkpoint::otherFile);
    for (CheckpointFile file : checkpoint.otherFiles()) {
      if (which.matcher(file.name()).matches()) {
        files.put(file.name(), checkpoint.read(file));
      }
    }
    return files;
  }

  /** The text of a config.json. */
  public static byte[] json(ObjectNode config) {
    try {
      return (JSON.writeValueAsString(config) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON can be written", e);
    }
  }

  /** The index of several shards, by its name; none for a single file. */
  public static Map<String, byte[]> index(List<PlannedFile> files) {
    if (files.size() < 2) {
      return Map.of();
    }
    TreeMap<String, String> map = new TreeMap<>();
    long total = 0;
    for (PlannedFile shard : files) {
      for (PlannedTensor tensor : shard.tensors()) {
        map.put(tensor.name(), shard.file());
      }
      total += shard.bytes();
    }
    return Map.of(ShardIndex.FILE_NAME, new ShardIndex(OptionalLong.of(total), map).write());
  }
}
