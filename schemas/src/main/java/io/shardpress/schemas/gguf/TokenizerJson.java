package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.ByteOrderMark;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A tokenizer.json.
 *
 * @param file its name, for messages
 */
record TokenizerJson(String file, JsonNode root) {
  private static final int SHOWN = 300;
  private static final ObjectMapper JSON = new ObjectMapper();

  static TokenizerJson read(String file, byte[] json) {
    int mark = ByteOrderMark.length(json);
    try {
      return new TokenizerJson(file, JSON.readTree(json, mark, json.length - mark));
    } catch (IOException e) {
      throw new CheckpointException(
          file + ": no JSON: " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""), e);
    }
  }

  JsonNode model() {
    return root.path("model");
  }

  /** What is done to text before it is cut, step by step; sequences are opened. */
  List<JsonNode> normalizers() {
    List<JsonNode> steps = new ArrayList<>();
    open(root.path("normalizer"), steps);
    return steps;
  }

  private static void open(JsonNode node, List<JsonNode> steps) {
    if (node.path("type").asText().equals("Sequence")) {
      node.path("normalizers").forEach(step -> open(step, steps));
    } else if (!node.isNull() && !node.isMissingNode()) {
      steps.add(node);
    }
  }

  /** For throwing: GGUF has no place for this. */
  CheckpointException refused(String key, JsonNode found, String wanted) {
    return refused(key, found.isMissingNode() ? "nothing" : found.toString(), wanted);
  }

  /** The same with what was found in words. */
  CheckpointException refused(String key, String found, String wanted) {
    String shown = found.length() > SHOWN ? found.substring(0, SHOWN) + "…" : found;
    return new CheckpointException(
        "%s: %s: found %s, wanted %s; GGUF files hold the tokenizer: leave --format gguf out"
            .formatted(file, key, shown, wanted));
  }
}
