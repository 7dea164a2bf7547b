package io.shardpress.spark.output.gguf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.kernels.pack.LearnedBlocks.MinimumError;
import io.shardpress.schemas.gguf.GgufHeader;
import io.shardpress.schemas.gguf.GgufMetadata;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.gguf.GgufValue;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.spark.output.CardEntry;
import io.shardpress.spark.output.FolderFiles;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.PlannedTensor;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.ShardHead;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** GGUF files: a task writes each, behind a header that the driver has written. */
public final class GgufPublication implements Publication {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING = List.of(GgufHead.class, GgufSource.class);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final CompressionPlan plan;
  private final GgufPlan gguf;
  private final List<PlannedFile> files;
  private final Map<String, PlanEntry> entries = new HashMap<>();
  private final Map<String, GgufItem> items = new HashMap<>();

  GgufPublication(CompressionPlan plan, GgufPlan gguf) {
    this.plan = plan;
    this.gguf = gguf;
    this.files = gguf.files().stream().map(GgufPublication::planned).toList();
    plan.entries().forEach(entry -> entries.put(entry.tensor().tensor(), entry));
    gguf.files()
        .forEach(file -> file.items().forEach(item -> items.put(item.tensor().name(), item)));
  }

  /** The same with tensors that are read from elsewhere. */
  GgufPublication with(CompressionPlan changed) {
    return new GgufPublication(changed, gguf);
  }

  private static PlannedFile planned(GgufFile file) {
    return new PlannedFile(
        file.file(),
        file.items().stream()
            .map(GgufItem::tensor)
            .map(one -> new PlannedTensor(one.name(), one.type().name(), one.shape(), one.bytes()))
            .toList());
  }

  @Override
  public String word() {
    return GgufFormat.WORD;
  }

  @Override
  public List<PlannedFile> files() {
    return files;
  }

  @Override
  public List<String> warnings() {
    return gguf.warnings();
  }

  @Override
  public String omission() {
    return "llama.cpp does without it";
  }

  @Override
  public ShardHead head(PlannedFile file, OutputFolder folder) {
    int number = files.indexOf(file);
    List<GgufItem> in = gguf.files().get(number).items();
    String header = OutputFolder.WORK + "/" + file.file() + ".header";
    PublishedFile written =
        folder.write(
            header, GgufHeader.write(metadata(number), in.stream().map(GgufItem::tensor).toList()));
    return new GgufHead(folder.uri() + "/" + header, written.sha256());
  }

  /** Of several files only the first says what the model is. */
  private Map<String, GgufValue> metadata(int file) {
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    if (file == 0) {
      metadata.putAll(gguf.metadata());
    }
    if (gguf.files().size() > 1) {
      metadata.putAll(GgufMetadata.split(file, gguf.files().size(), gguf.tensors()));
    }
    return metadata;
  }

  @Override
  public TensorSource source(PlannedTensor tensor, Results results) {
    return source(items.get(tensor.name()), results);
  }

  private TensorSource source(GgufItem item, Results results) {
    GgufType type = item.tensor().type();
    if (item.inputs().isEmpty()) {
      return new GgufSource.Numbers(item.numbers());
    }
    if (item.inputs().size() > 1) {
      return new GgufSource.Stacked(
          item.inputs().stream().map(input -> rows(entries.get(input), type, results)).toList());
    }
    PlanEntry entry = entries.get(item.inputs().get(0));
    if (item.onePlus()) {
      return new GgufSource.OnePlus(entry.source());
    }
    TensorSource rows = rows(entry, type, results);
    if (item.headDim() == 0) {
      return rows;
    }
    // A row of a bias is an element.
    long rowBytes = item.tensor().bytes() / item.tensor().shape().get(0);
    return new GgufSource.ByHeads(rows, item.headDim(), Math.toIntExact(rowBytes));
  }

  private TensorSource rows(PlanEntry entry, GgufType type, Results results) {
    if (entry.action() == Action.QUANTIZE) {
      return new GgufSource.Learned(results.quantized(entry.module()), type);
    }
    return entry.source().dtype().name().equals(type.name())
        ? new TensorSource.Copy(entry.source())
        : new GgufSource.Rounded(entry.source(), type);
  }

  @Override
  public Map<String, List<String>> outputs() {
    Map<String, List<String>> outputs = new HashMap<>();
    items
        .values()
        .forEach(
            item ->
                item.inputs().forEach(input -> outputs.put(input, List.of(item.tensor().name()))));
    return outputs;
  }

  @Override
  public Map<String, byte[]> sideFiles() {
    return FolderFiles.terms(plan.checkpoint());
  }

  @Override
  public List<String> summary() {
    Map<GgufType, Integer> types = new EnumMap<>(GgufType.class);
    items.values().forEach(item -> types.merge(item.tensor().type(), 1, Integer::sum));
    String counts =
        types.entrySet().stream()
            .map(one -> one.getValue() + " " + one.getKey())
            .collect(Collectors.joining(", "));
    String names = files.stream().map(PlannedFile::file).collect(Collectors.joining(", "));
    return List.of("gguf: " + names + ", tensors: " + counts);
  }

  @Override
  public Map<String, String> types() {
    Map<String, GgufType> known = gguf.types();
    Map<String, String> types = new HashMap<>();
    for (String input : entries.keySet()) {
      types.put(input, known.containsKey(input) ? known.get(input) + " in GGUF" : "not in GGUF");
    }
    return types;
  }

  @Override
  public CardEntry card() {
    boolean minimums = gguf.types().containsValue(GgufType.Q4_1);
    String usage =
        String.format(
            Locale.ROOT,
            "For llama.cpp: `llama-cli -m %s`. Integers and scales are the learned ones, not rounded"
                + " again%s.\n\n",
            files.get(0).file(),
            minimums ? "; `report/gguf.jsonl` says what Q4_1's minimums cost" : "");
    return new CardEntry(Optional.empty(), List.of("gguf"), " as GGUF", usage);
  }

  @Override
  public Map<String, byte[]> report(List<PublishedShard> shards) {
    return Map.of("gguf.jsonl", lines(shards));
  }

  /** report/gguf.jsonl: a line for each tensor of learned integers, with what its format cost. */
  private byte[] lines(List<PublishedShard> shards) {
    Map<String, MinimumError> minimums = new TreeMap<>();
    shards.forEach(shard -> minimums.putAll(shard.minimums()));
    StringBuilder lines = new StringBuilder();
    for (GgufFile file : gguf.files()) {
      for (GgufItem item : file.items()) {
        if (!item.inputs().isEmpty()
            && entries.get(item.inputs().get(0)).action() == Action.QUANTIZE) {
          lines.append(line(item, minimums.get(item.tensor().name()))).append('\n');
        }
      }
    }
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String line(GgufItem item, MinimumError minimum) {
    ObjectNode line = JSON.createObjectNode();
    line.put("tensor", item.tensor().name());
    line.put("type", item.tensor().type().name());
    // In steps: what Q4_1's minimum in f16 moves weights by; the other types hold all exactly.
    line.put("rounding_max", minimum == null ? 0 : minimum.largest());
    line.put("rounding_rms", minimum == null ? 0 : minimum.rms());
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON can be written", e);
    }
  }
}
