package io.shardpress.spark.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** Names and their values; what is set in an inner scope ends with it. */
final class Scope {
  private final Render render;
  private final Scope outer;
  private final Map<String, Object> values = new HashMap<>();

  Scope(Render render) {
    this.render = render;
    this.outer = null;
  }

  private Scope(Scope outer) {
    this.render = outer.render;
    this.outer = outer;
  }

  Scope inner() {
    return new Scope(this);
  }

  Render render() {
    return render;
  }

  void set(String name, Object value) {
    values.put(name, value);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      if (scope.values.containsKey(name)) {
        return scope.values.get(name);
      }
    }
    return new Undefined("'" + name + "'");
  }
}
