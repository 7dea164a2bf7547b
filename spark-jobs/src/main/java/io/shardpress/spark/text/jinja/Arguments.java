package io.shardpress.spark.text.jinja;

import java.util.List;
import java.util.Map;

/**
 * What something is called with.
 *
 * @param positional in order
 * @param named by name
 */
record Arguments(Render render, List<Object> positional, Map<String, Object> named) {
  int count() {
    return positional.size() + named.size();
  }

  boolean has(int place, String name) {
    return place < positional.size() || named.containsKey(name);
  }

  /** An argument by its place or name. */
  Object get(int place, String name, Object standard) {
    if (place < positional.size()) {
      return positional.get(place);
    }
    return named.containsKey(name) ? named.get(name) : standard;
  }

  /** One that has to be there. */
  Object need(int place, String name) {
    if (!has(place, name)) {
      throw new JinjaException("a call lacks its argument " + name);
    }
    return get(place, name, null);
  }

  String text(int place, String name, String standard) {
    Object value = get(place, name, standard);
    if (value != null && !(value instanceof String)) {
      throw new JinjaException(
          "argument " + name + " is " + Values.kind(value) + ", want a string");
    }
    return (String) value;
  }

  int whole(int place, String name, int standard) {
    Object value = get(place, name, (long) standard);
    if (value == null) {
      return standard;
    }
    long number = Values.whole(value);
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, number));
  }

  boolean flag(int place, String name, boolean standard) {
    return Values.isTrue(get(place, name, standard));
  }

  /** The same behind a first one. */
  Arguments after(int count) {
    return new Arguments(
        render, positional.subList(Math.min(count, positional.size()), positional.size()), named);
  }
}
