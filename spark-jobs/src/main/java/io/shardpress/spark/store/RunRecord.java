package io.shardpress.spark.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a run was made from, as it stays in the work folder: so that a later plan can say what has
 * changed since.
 *
 * @param format version of this file's shape, {@link #FORMAT}
 * @param run id of the run; the same model files, recipe and text give the same
 * @param started time in ISO 8601
 * @param model URI
 * @param ingredients what all blocks depend on, by name: recipe keys, text, config, arithmetic
 * @param digests names of the parts with the digests of the model's tensors
 */
public record RunRecord(
    int format,
    String run,
    String started,
    String model,
    Map<String, String> ingredients,
    List<String> digests) {
  /** The shape written here. */
  public static final int FORMAT = 1;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  public RunRecord {
    ingredients = new TreeMap<>(ingredients);
    digests = List.copyOf(digests);
  }

  String toJson() {
    try {
      return JSON.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings can be written", e);
    }
  }

  /** Empty for what is no record, or one of another format, which nothing can be compared with. */
  static Optional<RunRecord> parse(byte[] json) {
    try {
      return Optional.ofNullable(JSON.readValue(json, RunRecord.class))
          .filter(record -> record.format == FORMAT);
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }
}
