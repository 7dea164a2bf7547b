package io.shardpress.spark.output.dense;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.spark.output.FolderFiles;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.PlannedTensor;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.ShardLayout;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The dense checkpoint that a quantized one is turned into. */
public final class DensePublication implements Publication {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING = List.of(DenseRows.class, DequantizeStep.class);

  private final DecompressionPlan plan;
  private final List<PlannedFile> files;
  private final Map<String, PlanEntry> entries = new HashMap<>();

  public DensePublication(DecompressionPlan plan) {
    this.plan = plan;
    this.files = ShardLayout.of(plan.entries());
    for (PlanEntry entry : plan.entries()) {
      entry.outputs().forEach(tensor -> entries.put(tensor.name(), entry));
    }
  }

  @Override
  public String word() {
    return "dense";
  }

  @Override
  public List<PlannedFile> files() {
    return files;
  }

  @Override
  public TensorSource source(PlannedTensor tensor, Results results) {
    PlanEntry entry = entries.get(tensor.name());
    List<PartKey> rows = results.rows().get(entry.tensor().tensor());
    return rows == null
        ? new TensorSource.Copy(entry.tensor())
        : new DenseRows(entry.tensor().tensor(), List.copyOf(rows));
  }

  @Override
  public Map<String, List<String>> outputs() {
    Map<String, List<String>> outputs = new HashMap<>();
    for (PlanEntry entry : plan.entries()) {
      if (!entry.outputs().isEmpty()) {
        outputs.put(
            entry.tensor().tensor(), entry.outputs().stream().map(OutputTensor::name).toList());
      }
    }
    return outputs;
  }

  @Override
  public Map<String, byte[]> sideFiles() {
    Map<String, byte[]> side = new TreeMap<>(FolderFiles.copied(plan.checkpoint()));
    side.put("config.json", FolderFiles.json(denseConfig(plan)));
    side.put("README.md", DenseCard.of(plan).getBytes(StandardCharsets.UTF_8));
    side.putAll(FolderFiles.index(files));
    return side;
  }

  /** The dense model's config, which names the dtype of the weights where the model's own does. */
  private static ObjectNode denseConfig(DecompressionPlan plan) {
    ObjectNode config =
        StrictJson.object(plan.checkpoint().uri() + "/config.json", plan.checkpoint().configJson());
    String dtype =
        switch (plan.dtype()) {
          case F16 -> "float16";
          case F32 -> "float32";
          default -> "bfloat16";
        };
    boolean said = false;
    for (JsonNode place : List.of(config, config.path("text_config"))) {
      for (String key : List.of("dtype", "torch_dtype")) {
        if (place instanceof ObjectNode object && object.has(key)) {
          object.put(key, dtype);
          said = true;
        }
      }
    }
    if (!said) {
      config.put("torch_dtype", dtype);
    }
    return config;
  }
}
