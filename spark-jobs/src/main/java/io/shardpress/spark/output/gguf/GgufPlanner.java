package io.shardpress.spark.output.gguf;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.gguf.GgufLimits;
import io.shardpress.schemas.gguf.GgufMetadata;
import io.shardpress.schemas.gguf.GgufNames;
import io.shardpress.schemas.gguf.GgufTokenizer;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.gguf.GgufValue;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Plans GGUF files, and refuses what llama.cpp has no place for. */
public final class GgufPlanner {
  private static final int MATRIX = 2;
  private static final Set<String> TOKENIZER_FILES =
      Set.of(GgufTokenizer.TOKENIZER_JSON, GgufTokenizer.SETTINGS, GgufTokenizer.CHAT_TEMPLATE);

  private final Checkpoint checkpoint;
  private final ModelConfig config;
  private final OutputChoice outputs;
  private final List<String> warnings = new ArrayList<>();

  public GgufPlanner(Checkpoint checkpoint, ModelConfig config, OutputChoice outputs) {
    this.checkpoint = checkpoint;
    this.config = config;
    this.outputs = outputs;
  }

  /**
   * The files for these entries.
   *
   * @throws CheckpointException where model, tokenizer or recipe do not fit into GGUF
   */
  public GgufPlan plan(List<PlanEntry> entries, boolean quantizedCache) {
    checkModel(quantizedCache);
    GgufItems tensors = new GgufItems(config, outputs, this::refused);
    List<GgufItem> items = tensors.of(entries);
    GgufType mostly = mostly(items);
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    metadata.putAll(GgufMetadata.of(name(), config, mostly));
    metadata.putAll(tokenizer());
    warnings.addAll(tensors.warnings());
    return new GgufPlan(files(items, mostly), metadata, warnings);
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
    GgufLimits.refusal(config)
        .ifPresent(
            reason -> {
              throw refused(reason);
            });
    if (quantizedCache) {
      throw refused("it has no scales of a cache of keys and values; use W4A16 or W8A16");
    }
    if (config.slidingWindow() != null && !GgufNames.slides(config)) {
      warnings.add(
          "llama.cpp lets this architecture see all positions, not the last "
              + config.slidingWindow()
              + " only: longer texts differ");
    }
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null && scaling.type().equals("dynamic")) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "llama.cpp does not know dynamic rope scaling: texts of more than %d tokens differ",
              scaling.originalMaxPositions()));
    }
    if (scaling != null && scaling.type().equals("longrope")) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "llama.cpp takes longrope's long factors in contexts of more than %d positions, not"
                  + " in texts: shorter texts differ there",
              scaling.originalMaxPositions()));
    }
  }

  /** The type of most elements. */
  private static GgufType mostly(List<GgufItem> items) {
    Map<GgufType, Long> elements = new EnumMap<>(GgufType.class);
    for (GgufItem item : items) {
      List<Long> shape = item.tensor().shape();
      if (shape.size() >= MATRIX) {
        long count = shape.stream().reduce(1L, Math::multiplyExact);
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
      String part =
          runs.size() == 1 ? "" : String.format(Locale.ROOT, "-%05d-of-%05d", i + 1, runs.size());
      files.add(new GgufFile(name() + "-" + mostly + part + ".gguf", runs.get(i)));
    }
    return files;
  }

  private CheckpointException refused(String reason) {
    return new CheckpointException(
        checkpoint.uri() + ": cannot become GGUF: " + reason + "; or leave --format gguf out");
  }
}
