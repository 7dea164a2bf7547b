package io.shardpress.spark.text.jinja;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** JSON as Python's json.dumps writes it, which the filter tojson of chat templates is. */
final class Json {
  private static final int DEEPEST = 200;

  private final boolean ascii;
  private final boolean sorted;
  private final String indent;
  private final String between;
  private final String colon;
  private final StringBuilder to = new StringBuilder();

  private Json(boolean ascii, boolean sorted, String indent, String between, String colon) {
    this.ascii = ascii;
    this.sorted = sorted;
    this.indent = indent;
    this.between = between;
    this.colon = colon;
  }

  /** The filter: ensure_ascii (false), indent, separators, sort_keys. */
  static String dumps(Object value, Arguments arguments) {
    Object indent = arguments.get(1, "indent", null);
    String step =
        indent == null
            ? null
            : indent instanceof String text
                ? text
                : " ".repeat((int) Math.max(0, Math.min(64, Values.whole(indent))));
    Object separators = arguments.get(2, "separators", null);
    String between = step == null ? ", " : ",";
    String colon = ": ";
    if (separators != null) {
      List<Object> pair = Values.elements(separators);
      if (pair.size() != 2) {
        throw new JinjaException("separators are not two");
      }
      between = Values.text(pair.get(0));
      colon = Values.text(pair.get(1));
    }
    Json json =
        new Json(
            arguments.flag(0, "ensure_ascii", false),
            arguments.flag(3, "sort_keys", false),
            step,
            between,
            colon);
    json.write(value, 0);
    return arguments.render().made(json.to.toString());
  }

  static void checkDepth(int depth) {
    if (depth > DEEPEST) {
      throw new JinjaException("a value is nested more than " + DEEPEST + " deep");
    }
  }

  private void write(Object value, int depth) {
    checkDepth(depth);
    if (value == null) {
      to.append("null");
    } else if (value instanceof Boolean || value instanceof Long) {
      to.append(value);
    } else if (value instanceof Double number) {
      to.append(real(number, "Infinity", "NaN"));
    } else if (value instanceof String text) {
      string(text);
    } else if (value instanceof List<?> list) {
      to.append('[');
      for (int i = 0; i < list.size(); i++) {
        to.append(i > 0 ? between : "");
        line(depth + 1);
        write(list.get(i), depth + 1);
      }
      if (!list.isEmpty()) {
        line(depth);
      }
      to.append(']');
    } else if (value instanceof Map<?, ?> map) {
      object(map, depth);
    } else {
      throw Values.unfit(value, "what JSON can hold");
    }
  }

  private void object(Map<?, ?> map, int depth) {
    to.append('{');
    Map<String, Object> sortedKeys = new TreeMap<>();
    if (sorted) {
      map.forEach((key, value) -> sortedKeys.put(key(key), value));
    }
    boolean more = false;
    for (Map.Entry<?, ?> entry : (sorted ? sortedKeys : map).entrySet()) {
      to.append(more ? between : "");
      line(depth + 1);
      string(key(entry.getKey()));
      to.append(colon);
      write(entry.getValue(), depth + 1);
      more = true;
    }
    if (more) {
      line(depth);
    }
    to.append('}');
  }

  private static String key(Object key) {
    if (key instanceof String text) {
      return text;
    }
    if (key == null) {
      return "null";
    }
    if (key instanceof Boolean || key instanceof Long) {
      return key.toString();
    }
    if (key instanceof Double number) {
      return real(number, "Infinity", "NaN");
    }
    throw Values.unfit(key, "a key of JSON");
  }

  private void line(int depth) {
    if (indent != null) {
      to.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    to.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> to.append("\\\"");
        case '\\' -> to.append("\\\\");
        case '\n' -> to.append("\\n");
        case '\r' -> to.append("\\r");
        case '\t' -> to.append("\\t");
        case '\b' -> to.append("\\b");
        case '\f' -> to.append("\\f");
        default -> {
          if (c < 0x20 || (ascii && c > 0x7e)) {
            to.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            to.append(c);
          }
        }
      }
    }
    to.append('"');
  }

  /** Python's repr of a float: the shortest digits that give it back. */
  static String real(double number, String infinity, String nan) {
    if (Double.isNaN(number)) {
      return nan;
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? infinity : "-" + infinity;
    }
    if (number == 0) {
      return 1 / number > 0 ? "0.0" : "-0.0";
    }
    BigDecimal digits = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String unscaled = digits.unscaledValue().abs().toString();
    return (number < 0 ? "-" : "")
        + unscaled.charAt(0)
        + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "")
        + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
  }
}
