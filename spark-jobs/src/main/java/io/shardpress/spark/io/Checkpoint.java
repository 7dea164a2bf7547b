package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.ModelTensors;
import io.shardpress.schemas.model.SavedNames;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** A checkpoint's headers and files, held by the driver; none of its weights. */
public final class Checkpoint {
  private final CheckpointFolder folder;
  private final List<CheckpointFile> shards;
  private final Map<String, TensorRef> inFiles;
  private final Map<String, TensorRef> tensors;
  private final Dequantized view;
  private final List<String> notes;

  private Checkpoint(
      CheckpointFolder folder,
      List<CheckpointFile> shards,
      Map<String, TensorRef> inFiles,
      Map<String, TensorRef> tensors,
      Dequantized view,
      List<String> notes) {
    this.folder = folder;
    this.shards = List.copyOf(shards);
    this.inFiles = inFiles;
    this.tensors = tensors;
    this.view = view;
    this.notes = List.copyOf(notes);
  }

  /**
   * How a quantized checkpoint is read as the dense one that it stands for.
   *
   * @param weights dense tensors by name, each made of several in the files
   * @param unused tensors of the files that have no place in the dense model, by name, and why
   * @param configJson config.json as the dense model's, without quantization_config
   */
  public record Dequantized(
      Map<String, TensorRef> weights, Map<String, String> unused, String configJson) {
    public Dequantized {
      weights = Map.copyOf(weights);
      unused = Map.copyOf(unused);
    }
  }

  /**
   * Reads the index and all headers of a folder: what model.safetensors.index.json lists, or
   * model.safetensors, or else every *.safetensors. Names are read as runtimes ask for them, see
   * {@link SavedNames}.
   *
   * @param modelUri a folder (or one .safetensors file) of any Hadoop file system
   * @throws CheckpointException where a header is bad, a shard is missing, index and shards
   *     disagree, or there are only PyTorch files
   */
  public static Checkpoint open(String modelUri, Configuration configuration) {
    CheckpointFolder folder = new CheckpointFolder(modelUri, configuration);
    ShardList list = ShardList.of(folder);
    List<String> notes = new ArrayList<>(list.notes());
    Map<String, TensorRef> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    for (CheckpointFile shard : list.shards()) {
      ShardHeader header = HeaderReader.readAll(shard, configuration);
      metadata.putAll(header.metadata());
      for (TensorRef tensor : header.tensors()) {
        TensorRef other = tensors.putIfAbsent(tensor.tensor(), tensor);
        if (other != null) {
          throw new CheckpointException(
              String.format(
                  "%s: tensor %s: found it here and in %s too; remove one of the files",
                  tensor.file(), tensor.tensor(), other.shard()));
        }
      }
    }
    metadata.keySet().removeIf(name -> !tensors.containsKey(metadata.get(name)));
    list.check(tensors, name -> metadata.containsKey(name) || folder.doesWithout(name)).stream()
        .filter(name -> !metadata.containsKey(name))
        .forEach(
            name ->
                notes.add(
                    "%s: tensor %s: %s lists it, no shard holds it, and the model does without"
                        .formatted(folder.uri(), name, ShardIndex.FILE_NAME)));
    if (!metadata.isEmpty()) {
      notes.addAll(TiedAliases.follow(tensors, metadata, folder.ties()));
    }
    SavedNames names = SavedNames.of(folder.uri(), tensors.keySet(), folder::config);
    notes.addAll(names.notes());
    Map<String, TensorRef> read = renamed(tensors, names.read());
    return new Checkpoint(folder, list.shards(), read, read, null, notes);
  }

  private static Map<String, TensorRef> renamed(
      Map<String, TensorRef> tensors, Map<String, String> names) {
    Map<String, TensorRef> renamed = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          String as = names.getOrDefault(name, name);
          renamed.put(as, as.equals(name) ? tensor : tensor.named(as));
        });
    return renamed;
  }

  /** What was chosen, left out or read otherwise than it lies there, for users. */
  public List<String> notes() {
    return notes;
  }

  /** The same checkpoint with some tensors read from elsewhere. */
  public Checkpoint with(Map<String, TensorRef> changed) {
    Map<String, TensorRef> others = new LinkedHashMap<>(tensors);
    others.putAll(changed);
    return new Checkpoint(folder, shards, inFiles, others, view, notes);
  }

  /**
   * The dense checkpoint that this quantized one stands for: each weight where the first of the
   * tensors is that it is made of.
   */
  public Checkpoint dequantized(Dequantized as) {
    Map<String, String> madeInto = new HashMap<>();
    as.weights()
        .forEach(
            (name, weight) ->
                weight.sources().forEach(source -> madeInto.put(source.tensor(), name)));
    Map<String, TensorRef> dense = new LinkedHashMap<>();
    for (TensorRef tensor : inFiles.values()) {
      String name = madeInto.get(tensor.tensor());
      if (name != null) {
        dense.putIfAbsent(name, as.weights().get(name));
      } else if (!as.unused().containsKey(tensor.tensor())) {
        dense.put(tensor.tensor(), tensor);
      }
    }
    return new Checkpoint(folder, shards, inFiles, dense, as, notes);
  }

  /** Whether it is a quantized checkpoint that is read as the dense one it stands for. */
  public boolean isDequantized() {
    return view != null;
  }

  /** The tensors that lie in the files, of a checkpoint that is dequantized on read too. */
  public List<TensorRef> inFiles() {
    return List.copyOf(inFiles.values());
  }

  /** The tensors of the files that have no place in the dense model, and why, in their order. */
  public Map<TensorRef, String> unused() {
    Map<TensorRef, String> unused = new LinkedHashMap<>();
    if (view != null) {
      inFiles.forEach(
          (name, tensor) -> {
            if (view.unused().containsKey(name)) {
              unused.put(tensor, view.unused().get(name));
            }
          });
    }
    return unused;
  }

  /** A tensor of the files, where this checkpoint is dequantized on read. */
  public Optional<TensorRef> findInFiles(String name) {
    return Optional.ofNullable(inFiles.get(name));
  }

  /** The folder's URI with its scheme. */
  public String uri() {
    return folder.uri();
  }

  /** All tensors of the model, in the order of their shards' names and their offsets there. */
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

  /** One of {@link #otherFiles()}, also where a listing that is late does not show it. */
  public Optional<CheckpointFile> otherFile(String name) {
    return folder.find(name);
  }

  /** A reader of its files, to be closed. */
  public TensorReader reader() {
    return new TensorReader(folder.configuration());
  }

  /** The bytes of one of {@link #otherFiles()}, at most 256 MiB. */
  public byte[] read(CheckpointFile file) {
    return folder.json(file);
  }

  /**
   * The bytes of config.json; of a checkpoint that is dequantized on read, the dense model's.
   *
   * @throws CheckpointException where there is none
   */
  public byte[] configJson() {
    if (view != null) {
      return view.configJson().getBytes(StandardCharsets.UTF_8);
    }
    return folder.json(
        folder
            .find(CheckpointFolder.CONFIG)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        folder.uri()
                            + (folder.isFile()
                                ? ": is a file, wanted a model's folder; give the one it lies in"
                                : ": found no config.json beside the weights; copy the model's own"
                                    + " there"))));
  }

  /**
   * config.json, held against the tensors.
   *
   * @throws CheckpointException where it is bad or absent, or tensors disagree with it
   */
  public ModelConfig config() {
    ModelConfig config =
        ModelConfig.parse(folder.uri() + "/" + CheckpointFolder.CONFIG, configJson());
    ModelTensors.check(folder.uri(), config, shapes());
    return config;
  }

  /** The tensor that lm_head is: its own, or the embedding where config.json ties them. */
  public Optional<TensorRef> lmHead(ModelConfig config) {
    DecoderNames names = DecoderNames.of(tensors.keySet());
    return config.tieWordEmbeddings() ? find(names.embed()) : find(names.lmHead());
  }
}
