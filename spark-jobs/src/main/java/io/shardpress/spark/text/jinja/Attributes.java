package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code a.b}, {@code a[b]} and {@code a[b:c]} are. */
final class Attributes {
  private Attributes() {}

  /** By name: a method goes before an element, as in Python. */
  static Object attribute(Object of, String name) {
    if (of instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (name.startsWith("_")) {
      throw new JinjaException("attribute " + name + " is not open to templates");
    }
    if (of instanceof Namespace namespace) {
      return namespace.get(name);
    }
    if (of instanceof LoopState loop) {
      return loop.get(name);
    }
    Callable method = method(of, name);
    if (method != null) {
      return method;
    }
    return of instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : missing(of, name);
  }

  /** By key or place: an element goes before a method. */
  static Object item(Object of, Object key) {
    if (of instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (of instanceof Map<?, ?> map) {
      if (map.containsKey(key)) {
        return map.get(key);
      }
    } else if (key instanceof Long || key instanceof Boolean) {
      long place = Values.whole(key);
      if (of instanceof List<?> list) {
        long at = place < 0 ? place + list.size() : place;
        return at >= 0 && at < list.size() ? list.get((int) at) : missing(of, key);
      }
      if (of instanceof String text) {
        int[] characters = text.codePoints().toArray();
        long at = place < 0 ? place + characters.length : place;
        return at >= 0 && at < characters.length
            ? Character.toString(characters[(int) at])
            : missing(of, key);
      }
    }
    return key instanceof String name ? attributeOrMissing(of, name) : missing(of, key);
  }

  private static Object attributeOrMissing(Object of, String name) {
    if (of instanceof Namespace || of instanceof LoopState) {
      return attribute(of, name);
    }
    Callable method = name.startsWith("_") ? null : method(of, name);
    return method == null ? missing(of, name) : method;
  }

  private static Undefined missing(Object of, Object key) {
    return new Undefined(
        (key instanceof String name ? "'" + name + "'" : "element " + Values.repr(key))
            + " of "
            + Values.kind(of));
  }

  private static Callable method(Object of, String name) {
    if (of instanceof String text) {
      return StringMethods.of(text, name);
    }
    if (of instanceof List<?> list) {
      return ofList(list, name);
    }
    return of instanceof Map<?, ?> map ? ofMap(map, name) : null;
  }

  /** Those that change a list are refused by Transformers, too. */
  private static Callable ofList(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          arguments -> {
            for (int i = 0; i < list.size(); i++) {
              if (Values.same(list.get(i), arguments.need(0, "value"))) {
                return (long) i;
              }
            }
            throw new JinjaException("list.index finds no such element");
          };
      case "count" ->
          arguments ->
              list.stream().filter(one -> Values.same(one, arguments.need(0, "value"))).count();
      case "copy" -> arguments -> new ArrayList<>(list);
      case "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort" ->
          throw changes("list", name);
      default -> null;
    };
  }

  private static Callable ofMap(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" -> arguments -> pairs(map);
      case "keys" -> arguments -> new ArrayList<>(map.keySet());
      case "values" -> arguments -> new ArrayList<>(map.values());
      case "copy" -> arguments -> new LinkedHashMap<>(map);
      case "get" ->
          arguments -> {
            Object key = arguments.need(0, "key");
            return map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
          };
      case "clear", "pop", "popitem", "setdefault", "update" -> throw changes("mapping", name);
      default -> null;
    };
  }

  private static JinjaException changes(String of, String name) {
    return new JinjaException("a template cannot change a " + of + ": " + name);
  }

  static List<Object> pairs(Map<?, ?> map) {
    List<Object> pairs = new ArrayList<>();
    map.forEach(
        (key, value) -> {
          List<Object> pair = new ArrayList<>();
          pair.add(key);
          pair.add(value);
          pairs.add(pair);
        });
    return pairs;
  }

  /** Python's slice; null: not said. */
  static Object slice(Object of, Object from, Object to, Object by) {
    if (of instanceof String text) {
      int[] all = text.codePoints().toArray();
      StringBuilder part = new StringBuilder();
      places(all.length, from, to, by).forEach(i -> part.appendCodePoint(all[i]));
      return part.toString();
    }
    if (of instanceof List<?> list) {
      List<Object> part = new ArrayList<>();
      places(list.size(), from, to, by).forEach(i -> part.add(list.get(i)));
      return part;
    }
    throw Values.unfit(of, "a list or a string");
  }

  private static List<Integer> places(int size, Object from, Object to, Object by) {
    long step = by == null ? 1 : Values.whole(by);
    if (step == 0) {
      throw new JinjaException("a slice's step is 0");
    }
    boolean up = step > 0;
    long begin = bound(from, size, up, up ? 0 : size - 1L);
    long end = bound(to, size, up, up ? size : -1L);
    List<Integer> places = new ArrayList<>();
    if (Math.abs(step) > size) {
      return (up ? begin < end : begin > end) ? List.of((int) begin) : Collections.emptyList();
    }
    for (long i = begin; up ? i < end : i > end; i += step) {
      places.add((int) i);
    }
    return places;
  }

  private static long bound(Object given, int size, boolean up, long standard) {
    if (given == null) {
      return standard;
    }
    long place = Values.whole(given);
    place = place < 0 ? Math.max(place, -1L - size) + size : Math.min(place, size);
    return up ? Math.max(0, place) : Math.max(-1, Math.min(place, size - 1L));
  }
}
