package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import java.util.Optional;

/** Typed access to the keys of one JSON object of config.json; null counts as absent. */
final class ConfigFields {
  private final String file;
  private final ObjectNode node;

  ConfigFields(String file, ObjectNode node) {
    this.file = file;
    this.node = node;
  }

  Optional<JsonNode> find(String key) {
    return Optional.ofNullable(node.get(key)).filter(value -> !value.isNull());
  }

  /** Whether the key is there, even as null. */
  boolean has(String key) {
    return node.has(key);
  }

  Optional<ConfigFields> object(String key) {
    return find(key)
        .map(
            value -> {
              if (!(value instanceof ObjectNode object)) {
                throw bad(key, value, "an object");
              }
              return new ConfigFields(file, object);
            });
  }

  /** A whole number from 1 on; 32768.0 counts as one. */
  Optional<Integer> positive(String key) {
    return whole(key, 1);
  }

  /** A whole number from {@code least} on; 32768.0 counts as one. */
  Optional<Integer> whole(String key, int least) {
    return find(key)
        .map(
            value -> {
              double number = value.asDouble();
              if (!value.isNumber() || number != Math.rint(number) || number < least) {
                throw bad(key, value, "a whole number from " + least + " on");
              }
              if (number > Integer.MAX_VALUE) {
                throw bad(key, value, "at most " + Integer.MAX_VALUE);
              }
              return (int) number;
            });
  }

  Optional<Double> number(String key) {
    return find(key)
        .map(
            value -> {
              double number = value.asDouble();
              if (!value.isNumber() || !(number > 0) || Double.isInfinite(number)) {
                throw bad(key, value, "a finite number above 0");
              }
              return number;
            });
  }

  boolean flag(String key, boolean otherwise) {
    return find(key)
        .map(
            value -> {
              if (!value.isBoolean()) {
                throw bad(key, value, "true or false");
              }
              return value.asBoolean();
            })
        .orElse(otherwise);
  }

  Optional<String> text(String key) {
    return find(key)
        .map(
            value -> {
              if (!value.isTextual()) {
                throw bad(key, value, "a string");
              }
              return value.asText();
            });
  }

  CheckpointException bad(String key, Object found, String wanted) {
    return new CheckpointException(
        String.format("%s: %s: found %s, wanted %s; correct the file", file, key, found, wanted));
  }
}
