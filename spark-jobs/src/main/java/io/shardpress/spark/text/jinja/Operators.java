package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic. */
final class Operators {
  private Operators() {}

  static Object apply(Render render, String operator, Object a, Object b) {
    try {
      return switch (operator) {
        case "+" -> plus(render, a, b);
        case "*" -> times(render, a, b);
        case "-" -> reals(a, b) ? Values.real(a) - Values.real(b) : minus(a, b);
        case "/" -> Values.real(a) / divisor(b);
        case "//" ->
            reals(a, b)
                ? (Object) Math.floor(Values.real(a) / divisor(b))
                : (Object) Math.floorDiv(Values.whole(a), nonZero(Values.whole(b)));
        case "%" -> modulo(render, a, b);
        case "**" -> power(a, b);
        default -> throw new JinjaException("operator " + operator);
      };
    } catch (ArithmeticException e) {
      throw new JinjaException("integers grow beyond 64 bits");
    }
  }

  static Object negated(Object value) {
    return value instanceof Double real
        ? (Object) (-real)
        : (Object) Math.negateExact(Values.whole(value));
  }

  private static boolean reals(Object a, Object b) {
    return a instanceof Double || b instanceof Double;
  }

  private static Object minus(Object a, Object b) {
    return Math.subtractExact(Values.whole(a), Values.whole(b));
  }

  private static Object plus(Render render, Object a, Object b) {
    if (a instanceof String one) {
      if (b instanceof String other) {
        render.text((long) one.length() + other.length());
        return one + other;
      }
      throw Values.unfit(b, "a string to add to one");
    }
    if (a instanceof List<?> one && b instanceof List<?> other) {
      render.elements((long) one.size() + other.size());
      List<Object> both = new ArrayList<>(one);
      both.addAll(other);
      return both;
    }
    return reals(a, b)
        ? (Object) (Values.real(a) + Values.real(b))
        : (Object) Math.addExact(Values.whole(a), Values.whole(b));
  }

  private static Object times(Render render, Object a, Object b) {
    if (b instanceof String || b instanceof List) {
      return times(render, b, a);
    }
    if (a instanceof String text) {
      long count = Math.max(0, Values.whole(b));
      render.text(Math.multiplyExact(count, (long) text.length()));
      return text.isEmpty() ? "" : text.repeat((int) count);
    }
    if (a instanceof List<?> list) {
      long count = Math.max(0, Values.whole(b));
      render.elements(Math.multiplyExact(count, (long) list.size()));
      List<Object> all = new ArrayList<>();
      for (long i = 0; i < count && !list.isEmpty(); i++) {
        all.addAll(list);
      }
      return all;
    }
    return reals(a, b)
        ? (Object) (Values.real(a) * Values.real(b))
        : (Object) Math.multiplyExact(Values.whole(a), Values.whole(b));
  }

  private static Object modulo(Render render, Object a, Object b) {
    if (a instanceof String text) {
      return Formats.percent(render, text, b);
    }
    if (reals(a, b)) {
      double divisor = divisor(b);
      double rest = Values.real(a) % divisor;
      return rest != 0 && rest < 0 != divisor < 0 ? rest + divisor : rest;
    }
    return Math.floorMod(Values.whole(a), nonZero(Values.whole(b)));
  }

  private static Object power(Object a, Object b) {
    if (reals(a, b) || Values.whole(b) < 0) {
      return StrictMath.pow(Values.real(a), Values.real(b));
    }
    long power = 1;
    long base = Values.whole(a);
    if (Math.abs(base) <= 1) {
      return base == 0 && Values.whole(b) > 0
          ? 0L
          : base < 0 && Values.whole(b) % 2 == 1 ? -1L : 1L;
    }
    for (long i = 0; i < Values.whole(b); i++) {
      power = Math.multiplyExact(power, base);
    }
    return power;
  }

  private static double divisor(Object b) {
    double divisor = Values.real(b);
    if (divisor == 0) {
      throw new JinjaException("division by zero");
    }
    return divisor;
  }

  private static long nonZero(long divisor) {
    if (divisor == 0) {
      throw new JinjaException("division by zero");
    }
    return divisor;
  }
}
