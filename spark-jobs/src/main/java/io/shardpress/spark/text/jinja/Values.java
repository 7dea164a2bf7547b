package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** What Python's operators and functions make of values. */
final class Values {
  private Values() {}

  static boolean isTrue(Object value) {
    if (value == null || value instanceof Undefined) {
      return false;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value instanceof Collection<?> list) {
      return !list.isEmpty();
    }
    return !(value instanceof Map<?, ?> map) || !map.isEmpty();
  }

  /** What kind of value it is, for messages. */
  static String kind(Object value) {
    if (value == null) {
      return "none";
    }
    if (value instanceof Undefined undefined) {
      return undefined.what() + ", which is undefined";
    }
    return value instanceof String
        ? "a string"
        : value instanceof Boolean
            ? "a boolean"
            : value instanceof Number
                ? "a number"
                : value instanceof List
                    ? "a list"
                    : value instanceof Map ? "a mapping" : "no value";
  }

  /** An integer; booleans are 0 and 1. */
  static long whole(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    if (value instanceof Long number) {
      return number;
    }
    throw unfit(value, "an integer");
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static double real(Object value) {
    if (value instanceof Double number) {
      return number;
    }
    return whole(value);
  }

  static JinjaException unfit(Object value, String wanted) {
    return value instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException("found " + kind(value) + ", wanted " + wanted);
  }

  /** Python's ==: 1 is 1.0 and true. */
  static boolean same(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      boolean reals = a instanceof Double || b instanceof Double;
      return reals ? real(a) == real(b) : whole(a) == whole(b);
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      boolean all = one.size() == other.size();
      for (int i = 0; all && i < one.size(); i++) {
        all = same(one.get(i), other.get(i));
      }
      return all;
    }
    if (a instanceof Map<?, ?> one && b instanceof Map<?, ?> other) {
      return one.size() == other.size()
          && one.entrySet().stream()
              .allMatch(
                  e -> other.containsKey(e.getKey()) && same(e.getValue(), other.get(e.getKey())));
    }
    return a == null ? b == null : a.equals(b);
  }

  /** Python's order; things of different kinds have none. */
  static int compare(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? Double.compare(real(a), real(b))
          : Long.compare(whole(a), whole(b));
    }
    if (a instanceof String one && b instanceof String other) {
      return compareCodePoints(one, other);
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
        if (!same(one.get(i), other.get(i))) {
          return compare(one.get(i), other.get(i));
        }
      }
      return Integer.compare(one.size(), other.size());
    }
    throw a instanceof Undefined || b instanceof Undefined
        ? unfit(a instanceof Undefined ? a : b, "")
        : new JinjaException(kind(a) + " and " + kind(b) + " have no order");
  }

  private static int compareCodePoints(String a, String b) {
    int[] one = a.codePoints().toArray();
    int[] other = b.codePoints().toArray();
    return Arrays.compare(one, other);
  }

  /** Python's in. */
  static boolean contains(Object container, Object value) {
    if (container instanceof String text) {
      if (!(value instanceof String part)) {
        throw unfit(value, "a string");
      }
      return text.contains(part);
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(value);
    }
    return elements(container).stream().anyMatch(one -> same(one, value));
  }

  /** What a loop over the value goes through. */
  static List<Object> elements(Object value) {
    if (value instanceof Undefined) {
      return List.of();
    }
    if (value instanceof Collection<?> list) {
      return new ArrayList<>(list);
    }
    if (value instanceof Map<?, ?> map) {
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof String text) {
      if (text.length() > Render.MOST_ELEMENTS) {
        throw new JinjaException(
            "a text of " + text.length() + " characters has too many elements");
      }
      List<Object> characters = new ArrayList<>();
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    }
    throw unfit(value, "something with elements");
  }

  static long length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    return elements(value).size();
  }

  /** Python's str. */
  static String text(Object value) {
    if (value instanceof Undefined) {
      return "";
    }
    return value instanceof String text ? text : repr(value);
  }

  /** Python's repr. */
  static String repr(Object value) {
    StringBuilder shown = new StringBuilder();
    repr(value, shown, 0);
    return shown.toString();
  }

  private static void repr(Object value, StringBuilder to, int depth) {
    Json.checkDepth(depth);
    if (value == null) {
      to.append("None");
    } else if (value instanceof Undefined) {
      to.append("Undefined");
    } else if (value instanceof Boolean flag) {
      to.append(flag ? "True" : "False");
    } else if (value instanceof String text) {
      to.append(Strings.repr(text));
    } else if (value instanceof Double number) {
      to.append(Json.real(number, "inf", "nan"));
    } else if (value instanceof Number number) {
      to.append(number);
    } else if (value instanceof List<?> list) {
      to.append('[');
      for (int i = 0; i < list.size(); i++) {
        to.append(i > 0 ? ", " : "");
        repr(list.get(i), to, depth + 1);
      }
      to.append(']');
    } else if (value instanceof Map<?, ?> map) {
      to.append('{');
      boolean more = false;
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        to.append(more ? ", " : "");
        repr(entry.getKey(), to, depth + 1);
        to.append(": ");
        repr(entry.getValue(), to, depth + 1);
        more = true;
      }
      to.append('}');
    } else {
      throw new JinjaException("a function or macro is printed");
    }
  }
}
