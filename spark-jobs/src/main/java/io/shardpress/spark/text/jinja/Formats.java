package io.shardpress.spark.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to put values into a text, with the few forms that templates use. */
final class Formats {
  private Formats() {}

  /** str.format with {}, {0} and {name}. */
  static String braces(String text, Arguments arguments) {
    StringBuilder made = new StringBuilder();
    int next = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean twice = i + 1 < text.length() && text.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && twice) {
        made.append(c);
        i++;
      } else if (c == '{') {
        int end = text.indexOf('}', i);
        String name = end < 0 ? "!" : text.substring(i + 1, end);
        if (name.isEmpty()) {
          made.append(Values.text(arguments.need(next++, "{}")));
        } else if (name.matches("[0-9]{1,4}")) {
          made.append(Values.text(arguments.need(Integer.parseInt(name), name)));
        } else if (name.matches("[A-Za-z_][A-Za-z_0-9]*")) {
          made.append(Values.text(arguments.need(Integer.MAX_VALUE, name)));
        } else {
          throw new JinjaException(
              "str.format with {" + name + "}: only {}, {0} and {name} are read");
        }
        i = end;
      } else {
        made.append(c);
      }
      arguments.render().check(made.length());
    }
    return arguments.render().made(made.toString());
  }

  /** The operator % and the filter format: %s, %d, %r, %.3f and %%. */
  static String percent(Render render, String text, Object value) {
    List<Object> values = value instanceof List ? Values.elements(value) : null;
    StringBuilder made = new StringBuilder();
    int next = 0;
    Matcher place =
        Pattern.compile("%(?:\\(([^)]*)\\))?(0?[0-9]{0,2})(?:\\.([0-9]{1,2}))?(.)").matcher(text);
    int from = 0;
    while (place.find()) {
      made.append(text, from, place.start());
      from = place.end();
      char kind = place.group(4).charAt(0);
      if (kind == '%') {
        made.append('%');
        continue;
      }
      Object one;
      if (place.group(1) != null) {
        one = value instanceof Map<?, ?> map ? map.get(place.group(1)) : new Undefined("%(name)");
      } else if (values == null) {
        one = next++ == 0 ? value : new Undefined("an argument of %");
      } else {
        one = next < values.size() ? values.get(next++) : new Undefined("an argument of %");
      }
      if (one instanceof Undefined undefined) {
        throw undefined.error();
      }
      String width = place.group(2);
      String digits = place.group(3);
      made.append(
          switch (kind) {
            case 's' -> padded(Values.text(one), width);
            case 'r' -> padded(Values.repr(one), width);
            case 'd', 'i' ->
                String.format(
                    Locale.ROOT,
                    "%" + width + "d",
                    one instanceof Double real ? real.longValue() : Values.whole(one));
            case 'f' ->
                String.format(
                    Locale.ROOT,
                    "%" + width + "." + (digits == null ? "6" : digits) + "f",
                    Values.real(one));
            default -> throw new JinjaException("% with " + place.group() + " is not read");
          });
      render.check(made.length());
    }
    return render.made(made.append(text.substring(from)).toString());
  }

  private static String padded(String text, String width) {
    int missing = width.isEmpty() ? 0 : Integer.parseInt(width) - text.length();
    return missing > 0 ? " ".repeat(missing) + text : text;
  }
}
