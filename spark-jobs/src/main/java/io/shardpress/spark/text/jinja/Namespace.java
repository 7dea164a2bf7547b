package io.shardpress.spark.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** Jinja2's namespace: values that statements in inner scopes can set. */
final class Namespace {
  private final Map<String, Object> values = new HashMap<>();

  Namespace(Map<String, Object> given) {
    values.putAll(given);
  }

  Object get(String name) {
    return values.containsKey(name) ? values.get(name) : new Undefined("'" + name + "'");
  }

  void set(String name, Object value) {
    values.put(name, value);
  }
}
