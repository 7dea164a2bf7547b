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
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.PublishTask;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.ShardHead;
import io.shardpress.spark.output.ShardItem;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The GGUF files of a run: a task writes each, behind a header that the driver has written. */
public final class GgufFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CompressionPlan plan;
  private final Map<String, LearnedLinear> learned;
  private final OutputFolder output;
  private final Map<String, PlanEntry> entries = new HashMap<>();

  public GgufFiles(CompressionPlan plan, Map<String, LearnedLinear> learned, OutputFolder output) {
    this.plan = plan;
    this.learned = learned;
    this.output = output;
    plan.entries().forEach(entry -> entries.put(entry.tensor().tensor(), entry));
  }

  /** A task for each file; its header is written at once. */
  public List<PublishTask> tasks() {
    List<PublishTask> tasks = new ArrayList<>();
    List<GgufFile> files = plan.gguf().files();
    for (int i = 0; i < files.size(); i++) {
      GgufFile file = files.get(i);
      String header = OutputFolder.WORK + "/" + file.file() + ".header";
      output.write(
          header,
          GgufHeader.write(metadata(i), file.items().stream().map(GgufItem::tensor).toList()));
      List<ShardItem> items = new ArrayList<>();
      file.items().forEach(item -> items.add(new ShardItem(item.tensor(), source(item))));
      tasks.add(
          new PublishTask(
              output.uri(),
              file.file(),
              new ShardHead.Gguf(output.uri() + "/" + header),
              List.copyOf(items)));
    }
    return tasks;
  }

  /** Of several files only the first says what the model is. */
  private Map<String, GgufValue> metadata(int file) {
    GgufPlan gguf = plan.gguf();
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    if (file == 0) {
      metadata.putAll(gguf.metadata());
    }
    if (gguf.files().size() > 1) {
      metadata.putAll(GgufMetadata.split(file, gguf.files().size(), gguf.tensors()));
    }
    return metadata;
  }

  private TensorSource source(GgufItem item) {
    GgufType type = item.tensor().type();
    if (item.inputs().isEmpty()) {
      return new GgufSource.Numbers(item.numbers());
    }
    if (item.inputs().size() > 1) {
      return new GgufSource.Stacked(
          item.inputs().stream().map(input -> rows(entries.get(input), type)).toList());
    }
    PlanEntry entry = entries.get(item.inputs().get(0));
    if (item.onePlus()) {
      return new GgufSource.OnePlus(entry.source());
    }
    TensorSource rows = rows(entry, type);
    if (item.headDim() == 0) {
      return rows;
    }
    // A row of a bias is an element.
    long rowBytes = item.tensor().bytes() / item.tensor().shape().get(0);
    return new GgufSource.ByHeads(rows, item.headDim(), Math.toIntExact(rowBytes));
  }

  private TensorSource rows(PlanEntry entry, GgufType type) {
    if (entry.action() == Action.QUANTIZE) {
      return new GgufSource.Learned(learned.get(entry.module()), type);
    }
    return entry.source().dtype().name().equals(type.name())
        ? new TensorSource.Copy(entry.source())
        : new GgufSource.Rounded(entry.source(), type);
  }

  /** The names in GGUF of what an input tensor became. */
  public Map<String, String> names() {
    Map<String, String> names = new HashMap<>();
    for (GgufFile file : plan.gguf().files()) {
      for (GgufItem item : file.items()) {
        item.inputs().forEach(input -> names.put(input, item.tensor().name()));
      }
    }
    return names;
  }

  /** report/gguf.jsonl: a line for each tensor of learned integers, with what its format cost. */
  public byte[] report(List<PublishedShard> shards) {
    Map<String, MinimumError> minimums = new TreeMap<>();
    shards.forEach(shard -> minimums.putAll(shard.minimums()));
    StringBuilder lines = new StringBuilder();
    for (GgufFile file : plan.gguf().files()) {
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
