package io.shardpress.spark.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Jinja2's tests, behind {@code is}. */
final class Tests {
  /** A value and the arguments behind it. */
  @FunctionalInterface
  interface Test {
    boolean test(Object value, Arguments arguments);
  }

  private static final Map<String, Test> ALL = new HashMap<>();

  static {
    ALL.put("defined", (v, a) -> !(v instanceof Undefined));
    ALL.put("undefined", (v, a) -> v instanceof Undefined);
    ALL.put("none", (v, a) -> v == null);
    ALL.put("string", (v, a) -> v instanceof String);
    ALL.put("number", (v, a) -> Values.isNumber(v));
    ALL.put("integer", (v, a) -> v instanceof Long);
    ALL.put("float", (v, a) -> v instanceof Double);
    ALL.put("boolean", (v, a) -> v instanceof Boolean);
    ALL.put("true", (v, a) -> Boolean.TRUE.equals(v));
    ALL.put("false", (v, a) -> Boolean.FALSE.equals(v));
    ALL.put("mapping", (v, a) -> v instanceof Map);
    ALL.put("sequence", (v, a) -> v instanceof String || v instanceof List || v instanceof Map);
    ALL.put(
        "iterable",
        (v, a) ->
            v instanceof String || v instanceof List || v instanceof Map || v instanceof Undefined);
    ALL.put("callable", (v, a) -> v instanceof Callable);
    ALL.put("odd", (v, a) -> Math.floorMod(Values.whole(v), 2L) == 1);
    ALL.put("even", (v, a) -> Math.floorMod(Values.whole(v), 2L) == 0);
    ALL.put(
        "divisibleby",
        (v, a) -> Values.same(Operators.apply(a.render(), "%", v, a.need(0, "num")), 0L));
    ALL.put("in", (v, a) -> Values.contains(a.need(0, "seq"), v));
    ALL.put("sameas", (v, a) -> v == a.need(0, "other") || Values.same(v, a.need(0, "other")));
    ALL.put("lower", (v, a) -> cased(v, Values.text(v).toLowerCase(Locale.ROOT)));
    ALL.put("upper", (v, a) -> cased(v, Values.text(v).toUpperCase(Locale.ROOT)));
    compare("eq", "==", "equalto");
    compare("ne", "!=");
    compare("lt", "<", "lessthan");
    compare("le", "<=");
    compare("gt", ">", "greaterthan");
    compare("ge", ">=");
  }

  private Tests() {}

  private static boolean cased(Object value, String other) {
    String text = Values.text(value);
    return text.equals(other)
        && !text.toLowerCase(Locale.ROOT).equals(text.toUpperCase(Locale.ROOT));
  }

  private static void compare(String... names) {
    for (String name : names) {
      ALL.put(name, (v, a) -> compared(names[1], v, a.need(0, "other")));
    }
  }

  /** Two values by an operator. */
  static boolean compared(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Values.same(a, b);
      case "!=" -> !Values.same(a, b);
      case "<" -> Values.compare(a, b) < 0;
      case "<=" -> Values.compare(a, b) <= 0;
      case ">" -> Values.compare(a, b) > 0;
      case ">=" -> Values.compare(a, b) >= 0;
      default -> throw new JinjaException("operator " + operator);
    };
  }

  static Test named(String name) {
    Test test = ALL.get(name);
    if (test == null) {
      throw new JinjaException("test " + name + " is not known here");
    }
    return test;
  }
}
