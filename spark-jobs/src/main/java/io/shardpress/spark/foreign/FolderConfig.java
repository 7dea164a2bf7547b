package io.shardpress.spark.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ExpectedTensor;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A folder's config.json, taken apart: what it says of the packing, and the dense model's config.
 *
 * @param file where the packing is described, for messages
 * @param quantization quantization_config, or what older writers put into a file of its own; null
 *     where the model is dense
 * @param dense config.json without quantization_config
 * @param model what {@code dense} says
 */
record FolderConfig(String file, ObjectNode quantization, String dense, ModelConfig model) {
  private static final String QUANTIZATION = "quantization_config";

  /** AutoGPTQ's and AutoAWQ's own files, which stood beside config.json before it had the key. */
  private static final Map<String, String> OLDER_FILES =
      Map.of("quantize_config.json", "gptq", "quant_config.json", "awq");

  static FolderConfig of(Checkpoint checkpoint) {
    String file = checkpoint.uri() + "/config.json";
    ObjectNode json = StrictJson.object(file, checkpoint.configJson());
    JsonNode found = json.path(QUANTIZATION);
    if (json.path("text_config") instanceof ObjectNode text) {
      JsonNode inner = text.remove(QUANTIZATION);
      found = found.isMissingNode() && inner != null ? inner : found;
    }
    json.remove(QUANTIZATION);
    if (!found.isMissingNode() && !found.isNull() && !found.isObject()) {
      throw new CheckpointException(
          file + ": quantization_config: found " + found + ", wanted an object");
    }
    ModelConfig model = ModelConfig.parse(file, json.toString().getBytes(StandardCharsets.UTF_8));
    if (found instanceof ObjectNode quantization) {
      return new FolderConfig(file + ": quantization_config", quantization, json.toString(), model);
    }
    return older(checkpoint)
        .map(named -> new FolderConfig(named.getKey(), named.getValue(), json.toString(), model))
        .orElse(new FolderConfig(file, null, json.toString(), model));
  }

  private static Optional<Map.Entry<String, ObjectNode>> older(Checkpoint checkpoint) {
    boolean packed =
        checkpoint.inFiles().stream().anyMatch(tensor -> tensor.tensor().endsWith(".qweight"));
    for (CheckpointFile other : checkpoint.otherFiles()) {
      String method = OLDER_FILES.get(other.name());
      if (packed && method != null) {
        ObjectNode object = StrictJson.object(other.uri(), checkpoint.read(other));
        object.put("quant_method", method);
        return Optional.of(Map.entry(other.uri(), object));
      }
    }
    return Optional.empty();
  }

  /** Shapes of the linears' weights by module, of families that are known here; else empty. */
  Map<String, List<Long>> linears(Checkpoint checkpoint) {
    Map<String, List<Long>> linears = new LinkedHashMap<>();
    if (!model.knownFamily()) {
      return linears;
    }
    DecoderNames names = DecoderNames.of(checkpoint.shapes().keySet());
    for (int block = 0; block < model.layers(); block++) {
      names.blockTensors(model, block).forEach(tensor -> add(tensor, linears));
    }
    for (ExpectedTensor tensor : names.outerTensors(model)) {
      if (!tensor.name().equals(names.embed())) {
        add(tensor, linears);
      }
    }
    return linears;
  }

  private static void add(ExpectedTensor tensor, Map<String, List<Long>> linears) {
    String weight = ".weight";
    if (tensor.shape().size() == 2 && tensor.name().endsWith(weight)) {
      linears.put(
          tensor.name().substring(0, tensor.name().length() - weight.length()), tensor.shape());
    }
  }

  /** The text of a key; empty where there is none. */
  String text(String key) {
    return quantization.path(key).asText("");
  }

  /** What is wrong with the value of a key. */
  CheckpointException wrong(String key, String wanted) {
    JsonNode found = quantization.at(key.startsWith("/") ? key : "/" + key);
    String shown = found.isMissingNode() ? "nothing" : found.toString();
    return new CheckpointException(
        "%s.%s: found %s, wanted %s".formatted(file, key, shown, wanted));
  }
}
