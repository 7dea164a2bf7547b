package io.shardpress.spark.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** Jinja2's filters, and tojson as Transformers has it. */
final class Filters {
  /** A value and the arguments behind it. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments);
  }

  private static final Map<String, Filter> ALL = new HashMap<>();

  static {
    texts();
    numbers();
    lists();
    ALL.put("tojson", Json::dumps);
    ALL.put("default", Filters::standard);
    ALL.put("d", Filters::standard);
    ALL.put("safe", (v, a) -> v instanceof String ? v : Values.text(v));
    ALL.put("attr", (v, a) -> Attributes.attribute(v, a.text(0, "name", "")));
    ALL.put("items", (v, a) -> v instanceof Undefined ? List.of() : Attributes.pairs(map(v)));
    ALL.put("dictsort", Filters::dictsort);
    ALL.put("pprint", (v, a) -> a.render().made(Values.repr(v)));
  }

  private Filters() {}

  static Filter named(String name) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw new JinjaException("filter " + name + " is not known here");
    }
    return filter;
  }

  private static void texts() {
    ALL.put("string", (v, a) -> a.render().made(Values.text(v)));
    ALL.put("trim", (v, a) -> Strings.strip(Values.text(v), a.text(0, "chars", null)));
    ALL.put("upper", (v, a) -> Values.text(v).toUpperCase(Locale.ROOT));
    ALL.put("lower", (v, a) -> Values.text(v).toLowerCase(Locale.ROOT));
    ALL.put("capitalize", (v, a) -> Strings.capitalize(Values.text(v)));
    ALL.put("title", (v, a) -> Strings.title(Values.text(v)));
    ALL.put(
        "replace",
        (v, a) ->
            StringMethods.replace(
                a.render(),
                Values.text(v),
                Values.text(a.need(0, "old")),
                Values.text(a.need(1, "new")),
                a.whole(2, "count", -1)));
    ALL.put(
        "join",
        (v, a) -> {
          List<Object> all = Values.elements(v);
          Object attribute = a.get(1, "attribute", null);
          if (attribute != null) {
            all = all.stream().map(one -> path(one, attribute)).toList();
          }
          return StringMethods.join(a.render(), Values.text(a.get(0, "d", "")), all, true);
        });
    ALL.put("indent", Filters::indent);
    ALL.put("format", (v, a) -> Formats.percent(a.render(), Values.text(v), a.positional()));
    ALL.put("wordcount", (v, a) -> (long) StringMethods.split(Values.text(v), null, -1).size());
    Filter escape =
        (v, a) ->
            a.render()
                .made(
                    Values.text(v)
                        .replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("'", "&#39;")
                        .replace("\"", "&#34;"));
    ALL.put("escape", escape);
    ALL.put("e", escape);
  }

  private static void numbers() {
    ALL.put(
        "abs",
        (v, a) ->
            v instanceof Double real
                ? (Object) Math.abs(real)
                : (Object) Math.abs(Values.whole(v)));
    ALL.put("int", (v, a) -> whole(v, a));
    ALL.put("float", (v, a) -> real(v, a));
    ALL.put(
        "round",
        (v, a) -> {
          double power = Math.pow(10, a.whole(0, "precision", 0));
          double scaled = Values.real(v) * power;
          return switch (a.text(1, "method", "common")) {
            case "ceil" -> Math.ceil(scaled) / power;
            case "floor" -> Math.floor(scaled) / power;
            default ->
                new BigDecimal(Values.real(v))
                    .setScale(a.whole(0, "precision", 0), RoundingMode.HALF_EVEN)
                    .doubleValue();
          };
        });
  }

  private static void lists() {
    ALL.put("length", (v, a) -> Values.length(v));
    ALL.put("count", (v, a) -> Values.length(v));
    ALL.put("list", (v, a) -> Values.elements(v));
    ALL.put("first", (v, a) -> end(Values.elements(v), true));
    ALL.put("last", (v, a) -> end(Values.elements(v), false));
    ALL.put("sum", Filters::sum);
    ALL.put("min", (v, a) -> ordered(v, a, "attribute", false, 0));
    ALL.put("max", (v, a) -> ordered(v, a, "attribute", false, -1));
    ALL.put("sort", Filters::sort);
    ALL.put("unique", Filters::unique);
    ALL.put("map", Filters::map);
    ALL.put("select", (v, a) -> selected(v, a, null, true));
    ALL.put("reject", (v, a) -> selected(v, a, null, false));
    ALL.put("selectattr", (v, a) -> selected(v, a.after(1), a.need(0, "attribute"), true));
    ALL.put("rejectattr", (v, a) -> selected(v, a.after(1), a.need(0, "attribute"), false));
    ALL.put("groupby", Filters::groups);
    ALL.put(
        "reverse",
        (v, a) -> {
          if (v instanceof String text) {
            return new StringBuilder(text).reverse().toString();
          }
          List<Object> all = Values.elements(v);
          Collections.reverse(all);
          return all;
        });
    ALL.put("batch", Filters::batches);
  }

  private static Object standard(Object value, Arguments a) {
    boolean missing =
        value instanceof Undefined || (a.flag(1, "boolean", false) && !Values.isTrue(value));
    return missing ? a.get(0, "default_value", "") : value;
  }

  private static Object whole(Object value, Arguments a) {
    if (value instanceof Double real) {
      return real.longValue();
    }
    if (Values.isNumber(value)) {
      return Values.whole(value);
    }
    try {
      return (long) Double.parseDouble(Strings.strip(Values.text(value), null));
    } catch (NumberFormatException e) {
      return a.get(0, "default", 0L);
    }
  }

  private static Object real(Object value, Arguments a) {
    try {
      return Values.isNumber(value)
          ? Values.real(value)
          : Double.parseDouble(Strings.strip(Values.text(value), null));
    } catch (NumberFormatException e) {
      return a.get(0, "default", 0.0);
    }
  }

  private static Object end(List<Object> all, boolean first) {
    return all.isEmpty()
        ? new Undefined("element of nothing")
        : all.get(first ? 0 : all.size() - 1);
  }

  private static Map<?, ?> map(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw Values.unfit(value, "a mapping");
  }

  private static Object indent(Object value, Arguments a) {
    Object width = a.get(0, "width", 4L);
    String step =
        width instanceof String text ? text : " ".repeat(Math.min(256, a.whole(0, "width", 4)));
    boolean blank = a.flag(2, "blank", false);
    StringBuilder text = new StringBuilder();
    String[] lines = Values.text(value).split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean indented = i == 0 ? a.flag(1, "first", false) : blank || !lines[i].isEmpty();
      text.append(i > 0 ? "\n" : "").append(indented ? step : "").append(lines[i]);
    }
    return a.render().made(text.toString());
  }

  /** An element's attribute by a path such as function.name or 0. */
  private static Object path(Object of, Object path) {
    if (path instanceof Long) {
      return Attributes.item(of, path);
    }
    Object value = of;
    for (String name : Values.text(path).split("\\.")) {
      value =
          name.matches("[0-9]{1,9}")
              ? Attributes.item(value, Long.valueOf(name))
              : Attributes.item(value, name);
    }
    return value;
  }

  private static Object sum(Object value, Arguments a) {
    Object attribute = a.get(0, "attribute", null);
    Object sum = a.get(1, "start", 0L);
    for (Object one : Values.elements(value)) {
      sum = Operators.apply(a.render(), "+", sum, attribute == null ? one : path(one, attribute));
    }
    return sum;
  }

  private static Object ordered(Object value, Arguments a, String by, boolean cased, int place) {
    List<Object> sorted = new ArrayList<>(Values.elements(value));
    sorted.sort(order(a.get(1, by, null), cased || a.flag(0, "case_sensitive", false)));
    return sorted.isEmpty()
        ? new Undefined("element of nothing")
        : sorted.get(place < 0 ? sorted.size() - 1 : 0);
  }

  private static Comparator<Object> order(Object attribute, boolean cased) {
    return (one, other) -> Values.compare(key(one, attribute, cased), key(other, attribute, cased));
  }

  private static Object key(Object of, Object attribute, boolean cased) {
    Object value = attribute == null ? of : path(of, attribute);
    return value instanceof String text && !cased ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static Object sort(Object value, Arguments a) {
    List<Object> sorted = new ArrayList<>(Values.elements(value));
    Comparator<Object> order =
        order(a.get(2, "attribute", null), a.flag(1, "case_sensitive", false));
    sorted.sort(a.flag(0, "reverse", false) ? order.reversed() : order);
    return sorted;
  }

  private static Object dictsort(Object value, Arguments a) {
    List<Object> pairs = Attributes.pairs(map(value));
    long by = a.text(1, "by", "key").equals("value") ? 1 : 0;
    Comparator<Object> order = order(by, a.flag(0, "case_sensitive", false));
    pairs.sort(a.flag(2, "reverse", false) ? order.reversed() : order);
    return pairs;
  }

  private static Object unique(Object value, Arguments a) {
    Map<Object, Object> seen = new LinkedHashMap<>();
    for (Object one : Values.elements(value)) {
      seen.putIfAbsent(
          key(one, a.get(1, "attribute", null), a.flag(0, "case_sensitive", false)), one);
    }
    return new ArrayList<>(seen.values());
  }

  private static Object map(Object value, Arguments a) {
    List<Object> mapped = new ArrayList<>();
    for (Object one : Values.elements(value)) {
      a.render().step();
      if (a.named().containsKey("attribute")) {
        Object found = path(one, a.named().get("attribute"));
        mapped.add(
            found instanceof Undefined && a.named().containsKey("default")
                ? a.named().get("default")
                : found);
      } else {
        mapped.add(named(Values.text(a.need(0, "filter"))).apply(one, a.after(1)));
      }
    }
    return mapped;
  }

  private static Object selected(Object value, Arguments a, Object attribute, boolean kept) {
    Predicate<Object> test =
        a.positional().isEmpty()
            ? Values::isTrue
            : one -> Tests.named(Values.text(a.positional().get(0))).test(one, a.after(1));
    List<Object> selected = new ArrayList<>();
    for (Object one : Values.elements(value)) {
      a.render().step();
      if (test.test(attribute == null ? one : path(one, attribute)) == kept) {
        selected.add(one);
      }
    }
    return selected;
  }

  private static Object groups(Object value, Arguments a) {
    Object attribute = a.need(0, "attribute");
    List<Object> sorted = new ArrayList<>(Values.elements(value));
    sorted.sort(order(attribute, false));
    List<Object> groups = new ArrayList<>();
    for (Object one : sorted) {
      Object key = path(one, attribute);
      Map<?, ?> last = groups.isEmpty() ? null : (Map<?, ?>) groups.get(groups.size() - 1);
      if (last == null || !Values.same(last.get("grouper"), key)) {
        Map<String, Object> group = new LinkedHashMap<>();
        group.put("grouper", key);
        group.put("list", new ArrayList<>());
        groups.add(group);
        last = group;
      }
      @SuppressWarnings("unchecked")
      List<Object> list = (List<Object>) last.get("list");
      list.add(one);
    }
    return groups.stream().map(group -> List.copyOf(((Map<?, ?>) group).values())).toList();
  }

  private static Object batches(Object value, Arguments a) {
    int count = Math.max(1, a.whole(0, "linecount", 1));
    List<Object> batches = new ArrayList<>();
    List<Object> all = Values.elements(value);
    for (int from = 0; from < all.size(); from += count) {
      List<Object> batch = new ArrayList<>(all.subList(from, Math.min(all.size(), from + count)));
      while (a.has(1, "fill_with") && batch.size() < count) {
        batch.add(a.get(1, "fill_with", null));
      }
      batches.add(batch);
    }
    return batches;
  }
}
