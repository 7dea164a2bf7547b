package io.shardpress.spark.plan;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.gguf.GgufMetadata;
import io.shardpress.schemas.gguf.GgufNames;
import io.shardpress.schemas.gguf.GgufScheme;
import io.shardpress.schemas.gguf.GgufTensor;
import io.shardpress.schemas.gguf.GgufTokenizer;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.gguf.GgufValue;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Plans GGUF files, and refuses what llama.cpp has no place for. */
final class GgufPlanner {
  private static final int MATRIX = 2;
  private static final Set<String> TOKENIZER_FILES =
      Set.of(GgufTokenizer.TOKENIZER_JSON, GgufTokenizer.SETTINGS, GgufTokenizer.CHAT_TEMPLATE);

  private final Checkpoint checkpoint;
  private final ModelConfig config;
  private final OutputChoice outputs;
  private final List<String> warnings = new ArrayList<>();
  private final Map<String, Integer> staying = new TreeMap<>();

  GgufPlanner(Checkpoint checkpoint, ModelConfig config, OutputChoice outputs) {
    this.checkpoint = checkpoint;
    this.config = config;
    this.outputs = outputs;
  }

  /**
   * The files for these entries.
   *
   * @throws CheckpointException where model, tokenizer or recipe do not fit into GGUF
   */
  GgufPlan plan(List<PlanEntry> entries, boolean quantizedCache) {
    checkModel(quantizedCache);
    List<GgufItem> items = new ArrayList<>();
    if (config.ropeScaling() != null) {
      List<Long> half = List.of(config.headDim() / 2L);
      GgufTensor divisors = new GgufTensor(GgufNames.ROPE_FREQUENCIES, GgufType.F32, half);
      items.add(new GgufItem(divisors, null, 0));
    }
    for (PlanEntry entry : entries) {
      TensorPlace place = TensorPlace.of(entry.tensor().tensor());
      if (!needless(place)) {
        items.add(item(entry, place));
      }
    }
    GgufType mostly = mostly(items);
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    metadata.putAll(GgufMetadata.of(name(), config, mostly));
    metadata.putAll(tokenizer());
    staying.forEach((line, count) -> warnings.add(count + " x " + line));
    return new GgufPlan(files(items, mostly), metadata, warnings);
  }

  /** A head beside an embedding that config.json ties it to; frequencies, which follow from it. */
  private boolean needless(TensorPlace place) {
    return config.tieWordEmbeddings() && place.role().equals("lm_head")
        || place.role().endsWith("rotary_emb.inv_freq");
  }

  private void checkModel(boolean quantizedCache) {
    if (GgufNames.architecture(config).isEmpty()) {
      throw refused(
          "its model_type is " + config.modelType() + ", of which GGUF's names are not known here");
    }
    config
        .unsupportedReason()
        .ifPresent(
            reason -> {
              throw refused(reason);
            });
    if (config.ropeScaling() != null && !GgufNames.hasRopeFrequencies(config)) {
      throw refused(
          "its rope type is "
              + config.ropeScaling().type()
              + ", which llama.cpp does not read for "
              + config.modelType());
    }
    if (quantizedCache) {
      throw refused("it has no scales of a cache of keys and values; use W4A16 or W8A16");
    }
    if (config.slidingWindow() != null) {
      warnings.add(
          "llama.cpp lets this architecture see all positions, not the last "
              + config.slidingWindow()
              + " only: longer texts differ");
    }
  }

  private GgufItem item(PlanEntry entry, TensorPlace place) {
    TensorRef tensor = entry.tensor();
    String name =
        GgufNames.tensor(config, place)
            .orElseThrow(
                () -> refused("tensor " + tensor.tensor() + " has no place in this architecture"));
    int headDim = GgufNames.turnsNeighbours(config, place) ? config.headDim() : 0;
    GgufType type = entry.action() == Action.QUANTIZE ? learned(entry) : unchanged(tensor);
    return new GgufItem(new GgufTensor(name, type, tensor.shape()), tensor.tensor(), headDim);
  }

  private GgufType learned(PlanEntry entry) {
    GgufScheme scheme = GgufScheme.of(entry.choice().group(), entry.in());
    if (scheme.type() == null) {
      throw refused(
          "tensor "
              + entry.tensor().tensor()
              + ", "
              + entry.choice().group().schemeName()
              + ": "
              + scheme.refusal());
    }
    return scheme.type();
  }

  private GgufType unchanged(TensorRef tensor) {
    if (!FloatBytes.handles(tensor.dtype())) {
      throw refused(
          "tensor %s is %s, wanted F32, F16 or BF16".formatted(tensor.tensor(), tensor.dtype()));
    }
    // Norms and biases, which llama.cpp adds to and multiplies with f32.
    if (tensor.shape().size() < MATRIX) {
      return GgufType.F32;
    }
    GgufType own = GgufType.valueOf(tensor.dtype().name());
    GgufType asked = outputs.ggufType().orElse(own);
    if (!asked.divides(tensor.columns())) {
      // Blocks differ in their number alone, and share a line.
      staying.merge(
          "%s: %s in GGUF as in the model, rows of %d do not split into blocks of %s"
              .formatted(
                  tensor.tensor().replaceAll("\\.\\d+\\.", ".*."), own, tensor.columns(), asked),
          1,
          Integer::sum);
      return own;
    }
    return asked;
  }

  /** The type of most elements. */
  private static GgufType mostly(List<GgufItem> items) {
    Map<GgufType, Long> elements = new EnumMap<>(GgufType.class);
    for (GgufItem item : items) {
      if (item.tensor().shape().size() == MATRIX) {
        long count = item.tensor().shape().get(0) * item.tensor().shape().get(1);
        elements.merge(item.tensor().type(), count, Long::sum);
      }
    }
    return elements.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(GgufType.F32);
  }

  /** The model's name: its folder's. */
  private String name() {
    String folder = checkpoint.uri().replaceFirst("/+$", "");
    String name = folder.substring(folder.lastIndexOf('/') + 1).replaceAll("[^A-Za-z0-9._-]", "-");
    return name.isEmpty() ? config.modelType() : name;
  }

  private Map<String, GgufValue> tokenizer() {
    Map<String, byte[]> files = new HashMap<>();
    files.put("config.json", checkpoint.configJson());
    for (CheckpointFile file : checkpoint.otherFiles()) {
      if (TOKENIZER_FILES.contains(file.name())) {
        files.put(file.name(), checkpoint.read(file));
      }
    }
    if (!files.containsKey(GgufTokenizer.TOKENIZER_JSON)) {
      throw refused(
          "it holds the tokenizer, but there is no "
              + checkpoint.uri()
              + "/"
              + GgufTokenizer.TOKENIZER_JSON);
    }
    GgufTokenizer tokenizer = GgufTokenizer.of(checkpoint.uri(), files, config.vocabSize());
    warnings.addAll(tokenizer.warnings());
    return tokenizer.keys();
  }

  /** Greedily, in order; the divisors of frequencies stay in the first. */
  private List<GgufFile> files(List<GgufItem> items, GgufType mostly) {
    List<List<GgufItem>> runs = new ArrayList<>();
    long filled = 0;
    for (GgufItem item : items) {
      long bytes = item.tensor().bytes();
      if (runs.isEmpty() || filled + bytes > outputs.ggufFileBytes()) {
        runs.add(new ArrayList<>());
        filled = 0;
      }
      runs.get(runs.size() - 1).add(item);
      filled += bytes;
    }
    List<GgufFile> files = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      String part = runs.size() == 1 ? "" : "-%05d-of-%05d".formatted(i + 1, runs.size());
      files.add(new GgufFile(name() + "-" + mostly + part + ".gguf", runs.get(i)));
    }
    return files;
  }

  private CheckpointException refused(String reason) {
    return new CheckpointException(
        checkpoint.uri() + ": cannot become GGUF: " + reason + "; or leave --format gguf out");
  }
}
