package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.ModelTensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** A checkpoint's headers and files, held by the driver; none of its weights. */
public final class Checkpoint {
  private static final String CONFIG = "config.json";

  private final CheckpointFolder folder;
  private final List<CheckpointFile> shards;
  private final Map<String, TensorRef> tensors;

  private Checkpoint(
      CheckpointFolder folder, List<CheckpointFile> shards, Map<String, TensorRef> tensors) {
    this.folder = folder;
    this.shards = List.copyOf(shards);
    this.tensors = tensors;
  }

  /**
   * Reads the index and all headers of a folder: model.safetensors, or what
   * model.safetensors.index.json lists, or else every *.safetensors.
   *
   * @param modelUri a folder (or one .safetensors file) of any Hadoop file system
   * @throws CheckpointException where a header is bad, a shard is missing, index and shards
   *     disagree, or there are only PyTorch files
   */
  public static Checkpoint open(String modelUri, Configuration configuration) {
    CheckpointFolder folder = new CheckpointFolder(modelUri, configuration);
    ShardList list = ShardList.of(folder);
    Map<String, TensorRef> tensors = new LinkedHashMap<>();
    for (CheckpointFile shard : list.shards()) {
      for (TensorRef tensor : HeaderReader.read(shard, configuration)) {
        TensorRef other = tensors.putIfAbsent(tensor.tensor(), tensor);
        if (other != null) {
          throw new CheckpointException(
              String.format(
                  "%s: tensor %s: found it here and in %s too; remove one of the files",
                  tensor.file(), tensor.tensor(), other.shard()));
        }
      }
    }
    list.check(tensors);
    return new Checkpoint(folder, list.shards(), tensors);
  }

  /** The same checkpoint with some tensors read from elsewhere. */
  public Checkpoint with(Map<String, TensorRef> changed) {
    Map<String, TensorRef> others = new LinkedHashMap<>(tensors);
    others.putAll(changed);
    return new Checkpoint(folder, shards, others);
  }

  /** The folder's URI with its scheme. */
  public String uri() {
    return folder.uri();
  }

  /** All tensors, in the order of their shards' names and their offsets there. */
  public List<TensorRef> tensors() {
    return List.copyOf(tensors.values());
  }

  /** The tensor of that name, if there is one. */
  public Optional<TensorRef> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** Shapes of all tensors by name, sorted. */
  public Map<String, List<Long>> shapes() {
    Map<String, List<Long>> shapes = new TreeMap<>();
    tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    return shapes;
  }

  /** The shards, by name. */
  public List<CheckpointFile> files() {
    return shards;
  }

  /** The folder's other files: config, tokenizer, index and so on, by name. */
  public List<CheckpointFile> otherFiles() {
    return folder.files().values().stream().filter(file -> !shards.contains(file)).toList();
  }

  /** The bytes of one of {@link #otherFiles()}, at most 256 MiB. */
  public byte[] read(CheckpointFile file) {
    return folder.json(file);
  }

  /**
   * The bytes of config.json.
   *
   * @throws CheckpointException where there is none
   */
  public byte[] configJson() {
    CheckpointFile file = folder.files().get(CONFIG);
    if (file == null) {
      throw new CheckpointException(
          folder.uri() + ": found no config.json beside the weights; copy the model's own there");
    }
    return folder.json(file);
  }

  /**
   * config.json, held against the tensors.
   *
   * @throws CheckpointException where it is bad or absent, or tensors disagree with it
   */
  public ModelConfig config() {
    ModelConfig config = ModelConfig.parse(folder.uri() + "/" + CONFIG, configJson());
    ModelTensors.check(folder.uri(), config, shapes());
    return config;
  }

  /** The tensor that lm_head is: its own, or the embedding where config.json ties them. */
  public Optional<TensorRef> lmHead(ModelConfig config) {
    DecoderNames names = DecoderNames.of(tensors.keySet());
    return config.tieWordEmbeddings() ? find(names.embed()) : find(names.lmHead());
  }
}
