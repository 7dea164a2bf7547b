package io.shardpress.kernels.bench;

import java.util.Locale;
import java.util.StringJoiner;

/** A flat JSON object on one line. */
final class JsonLine {
  private final StringJoiner fields = new StringJoiner(", ", "{", "}");

  JsonLine put(String key, String value) {
    String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    fields.add("\"" + key + "\": \"" + escaped + "\"");
    return this;
  }

  JsonLine put(String key, long value) {
    fields.add("\"" + key + "\": " + value);
    return this;
  }

  JsonLine put(String key, double value) {
    fields.add(String.format(Locale.ROOT, "\"%s\": %.4g", key, value));
    return this;
  }

  @Override
  public String toString() {
    return fields.toString();
  }
}
