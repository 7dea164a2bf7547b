package io.shardpress.spark.output.compressedtensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.safetensors.ShardIndex;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.output.OutputShard;
import io.shardpress.spark.output.dense.DecompressionPlan;
import io.shardpress.spark.output.dense.DenseCard;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.FusedLinears;
import io.shardpress.spark.plan.PlanEntry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The small files around the shards. Their bytes follow from model and recipe alone. */
public final class SideFiles {
  private static final Pattern COPIED =
      Pattern.compile(
          "(tokenizer.*|vocab\\..*|merges\\.txt|special_tokens_map\\.json|added_tokens\\.json"
              + "|generation_config\\.json|chat_template.*|(pre)?processor_config\\.json"
              + "|.*\\.tiktoken|.*\\.model|LICENSE.*|NOTICE.*|.*\\.py)");
  private static final Pattern TERMS = Pattern.compile("(LICENSE|NOTICE).*");
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private SideFiles() {}

  /** Every file by its name. */
  public static Map<String, byte[]> of(CompressionPlan plan) {
    // Without safetensors the files for their readers would stand for a model that is not there.
    boolean safetensors = !plan.shards().isEmpty();
    Map<String, byte[]> files = copied(plan.checkpoint(), safetensors ? COPIED : TERMS);
    if (safetensors) {
      files.put("config.json", config(plan));
    }
    files.put("recipe.yaml", plan.recipe().toYaml().getBytes(StandardCharsets.UTF_8));
    files.put("README.md", ModelCard.of(plan).getBytes(StandardCharsets.UTF_8));
    if (plan.shards().size() > 1) {
      files.put(ShardIndex.FILE_NAME, index(plan.shards()));
    }
    return files;
  }

  /** Those of a dense checkpoint. */
  public static Map<String, byte[]> of(DecompressionPlan plan) {
    Map<String, byte[]> files = copied(plan.checkpoint(), COPIED);
    files.put("config.json", json(denseConfig(plan)));
    files.put("README.md", DenseCard.of(plan).getBytes(StandardCharsets.UTF_8));
    if (plan.shards().size() > 1) {
      files.put(ShardIndex.FILE_NAME, index(plan.shards()));
    }
    return files;
  }

  /** The files that a checkpoint is used with, byte for byte. */
  private static Map<String, byte[]> copied(Checkpoint checkpoint, Pattern which) {
    Map<String, byte[]> files = new TreeMap<>();
    for (CheckpointFile file : checkpoint.otherFiles()) {
      if (which.matcher(file.name()).matches()) {
        files.put(file.name(), checkpoint.read(file));
      }
    }
    return files;
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

  private static byte[] config(CompressionPlan plan) {
    ObjectNode config =
        StrictJson.object(plan.checkpoint().uri() + "/config.json", plan.checkpoint().configJson());
    config.set(
        "quantization_config",
        CompressedTensors.quantizationConfig(
            groups(plan), ignored(plan), plan.recipe().kvCache().orElse(null)));
    return json(config);
  }

  private static byte[] json(ObjectNode config) {
    try {
      return (JSON.writeValueAsString(config) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON can be written", e);
    }
  }

  /** The groups that linears fell to, in the recipe's order. */
  private static List<SchemeGroup> groups(CompressionPlan plan) {
    Set<SchemeGroup> used = new LinkedHashSet<>();
    for (Modifier modifier : plan.recipe().modifiers()) {
      for (SchemeGroup group : modifier.groups()) {
        if (plan.quantized().values().stream().anyMatch(e -> e.choice().group().equals(group))) {
          used.add(group);
        }
      }
    }
    return RuntimeTargets.of(plan, List.copyOf(used));
  }

  /**
   * Linears that stay as they are, by name: what readers would otherwise expect packed. lm_head is
   * always among them, since Transformers counts it as a linear even where it is tied; Mixtral's
   * experts also as vLLM asks for them.
   */
  private static List<String> ignored(CompressionPlan plan) {
    List<String> names = new ArrayList<>();
    boolean head = false;
    String embedding = DecoderNames.of(plan.checkpoint().shapes().keySet()).embed();
    for (PlanEntry entry : plan.entries()) {
      boolean linear = entry.ignored() || mayBeLinear(plan, entry, embedding);
      if (entry.action() == Action.COPY && linear) {
        names.add(entry.module());
        String asked = FusedLinears.asked(entry.module());
        if (!asked.equals(entry.module())) {
          names.add(asked);
        }
        head |= entry.module().endsWith("lm_head");
      }
    }
    boolean quantizedHead =
        plan.quantized().keySet().stream().anyMatch(module -> module.endsWith("lm_head"));
    if (!head && !quantizedHead) {
      names.add("lm_head");
    }
    return names;
  }

  /**
   * Of a family that is not known here, readers may take any 2-D weight for a linear's; of one that
   * is, routers and what stands beside the language model.
   */
  private static boolean mayBeLinear(CompressionPlan plan, PlanEntry entry, String embedding) {
    String name = entry.tensor().tensor();
    return entry.tensor().shape().size() == 2
        && (!plan.config().knownFamily() || name.endsWith(".weight") && !name.equals(embedding));
  }

  private static byte[] index(List<OutputShard> shards) {
    TreeMap<String, String> map = new TreeMap<>();
    long total = 0;
    for (OutputShard shard : shards) {
      for (TensorSpec tensor : shard.tensors()) {
        map.put(tensor.name(), shard.file());
      }
      total += shard.bytes();
    }
    return new ShardIndex(OptionalLong.of(total), map).write();
  }
}
