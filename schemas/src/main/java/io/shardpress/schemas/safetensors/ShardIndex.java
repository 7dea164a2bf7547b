package io.shardpress.schemas.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.StrictJson;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code model.safetensors.index.json}: which shard holds which tensor.
 *
 * @param totalSize bytes of all tensors, if the file says so
 * @param weightMap tensor name → file name beside the index, sorted by tensor name
 */
public record ShardIndex(OptionalLong totalSize, SortedMap<String, String> weightMap) {
  /** The file name that the index has in a checkpoint. */
  public static final String FILE_NAME = "model.safetensors.index.json";

  /** Doubles hold every whole number up to here. */
  private static final double EXACT_WHOLE_NUMBERS = 0x1p53;

  private static final JsonMapper WRITER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  public ShardIndex {
    weightMap = Collections.unmodifiableSortedMap(new TreeMap<>(weightMap));
  }

  /**
   * Reads an index.
   *
   * @param file the name to put in messages
   * @throws CheckpointException where the JSON is bad, a tensor occurs twice, or a shard's name
   *     would lead out of the folder
   */
  public static ShardIndex parse(String file, byte[] json) {
    ObjectNode root = StrictJson.object(file, json);
    if (!(root.get("weight_map") instanceof ObjectNode map)) {
      throw new CheckpointException(
          file + ": found no object \"weight_map\", wanted {tensor: file}; fetch the file again");
    }
    SortedMap<String, String> weights = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      weights.put(entry.getKey(), shard(file, entry.getKey(), entry.getValue()));
    }
    return new ShardIndex(totalSize(root.path("metadata").path("total_size")), weights);
  }

  /** Nothing is made from it, so what is no count of bytes is passed over. */
  private static OptionalLong totalSize(JsonNode size) {
    double number = size.isNumber() ? size.asDouble() : -1;
    // Some writers take the sum in floating point.
    boolean whole = number == Math.rint(number) && number <= EXACT_WHOLE_NUMBERS;
    boolean count = size.isIntegralNumber() ? size.canConvertToLong() : whole;
    return number >= 0 && count ? OptionalLong.of(size.asLong()) : OptionalLong.empty();
  }

  /** The file as Transformers writes it, two spaces deep and sorted by tensor name. */
  public byte[] write() {
    ObjectNode root = WRITER.createObjectNode();
    ObjectNode metadata = root.putObject("metadata");
    totalSize.ifPresent(size -> metadata.put("total_size", size));
    ObjectNode map = root.putObject("weight_map");
    weightMap.forEach(map::put);
    try {
      return (WRITER.writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of strings and numbers is always JSON", e);
    }
  }

  private static String shard(String file, String tensor, JsonNode value) {
    String name = value.asText();
    boolean plain =
        value.isTextual()
            && !name.isEmpty()
            && !name.equals(".")
            && !name.contains("..")
            && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    if (!plain) {
      throw new CheckpointException(
          String.format(
              "%s: tensor %s: found file %s in weight_map, wanted a plain file name beside the"
                  + " index (no separator, no \"..\"); do not use this checkpoint",
              file, tensor, value));
    }
    return name;
  }
}
