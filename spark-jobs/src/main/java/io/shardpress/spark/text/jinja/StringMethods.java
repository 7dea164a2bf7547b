package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** Methods of Python's strings. */
final class StringMethods {
  private StringMethods() {}

  /** A string's method of that name; null: there is none. */
  static Callable of(String text, String name) {
    return switch (name) {
      case "strip" -> a -> Strings.strip(text, a.text(0, "chars", null));
      case "lstrip" -> a -> Strings.stripStart(text, a.text(0, "chars", null));
      case "rstrip" -> a -> Strings.stripEnd(text, a.text(0, "chars", null));
      case "upper" -> a -> text.toUpperCase(Locale.ROOT);
      case "lower", "casefold" -> a -> text.toLowerCase(Locale.ROOT);
      case "title" -> a -> Strings.title(text);
      case "capitalize" -> a -> Strings.capitalize(text);
      case "startswith" -> a -> anyOf(a, text::startsWith);
      case "endswith" -> a -> anyOf(a, text::endsWith);
      case "removeprefix" ->
          a -> {
            String prefix = needText(a, "prefix");
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
          };
      case "removesuffix" ->
          a -> {
            String suffix = needText(a, "suffix");
            boolean there = !suffix.isEmpty() && text.endsWith(suffix);
            return there ? text.substring(0, text.length() - suffix.length()) : text;
          };
      case "replace" ->
          a ->
              replace(
                  a.render(),
                  text,
                  needText(a, "old"),
                  a.text(1, "new", ""),
                  a.whole(2, "count", -1));
      case "split" -> a -> split(text, a.text(0, "sep", null), a.whole(1, "maxsplit", -1));
      case "rsplit" -> a -> splitFromEnd(text, a.text(0, "sep", null), a.whole(1, "maxsplit", -1));
      case "splitlines" -> a -> lines(text, a.flag(0, "keepends", false));
      case "partition" -> a -> parts(text, needText(a, "sep"), text.indexOf(needText(a, "sep")));
      case "rpartition" ->
          a -> {
            int at = text.lastIndexOf(needText(a, "sep"));
            return at < 0 ? List.of("", "", text) : parts(text, needText(a, "sep"), at);
          };
      case "join" -> a -> join(a.render(), text, Values.elements(a.need(0, "iterable")), false);
      case "find" -> a -> place(text, text.indexOf(needText(a, "sub")));
      case "rfind" -> a -> place(text, text.lastIndexOf(needText(a, "sub")));
      case "index" ->
          a -> {
            if (!text.contains(needText(a, "sub"))) {
              throw new JinjaException("str.index finds nothing");
            }
            return place(text, text.indexOf(needText(a, "sub")));
          };
      case "count" ->
          a -> {
            String part = needText(a, "sub");
            return part.isEmpty() ? Values.length(text) + 1 : split(text, part, -1).size() - 1L;
          };
      case "isdigit", "isnumeric", "isdecimal" -> a -> all(text, Character::isDigit);
      case "isalpha" -> a -> all(text, Character::isLetter);
      case "isalnum" -> a -> all(text, Character::isLetterOrDigit);
      case "isspace" -> a -> all(text, c -> c < 0x10000 && Strings.isSpace((char) c));
      case "isupper" -> a -> cased(text, Character::isUpperCase, Character::isLowerCase);
      case "islower" -> a -> cased(text, Character::isLowerCase, Character::isUpperCase);
      case "zfill" -> a -> padded(a, text, "0", true);
      case "ljust" -> a -> padded(a, text, a.text(1, "fillchar", " "), false);
      case "rjust" -> a -> padded(a, text, a.text(1, "fillchar", " "), true);
      case "format" -> a -> Formats.braces(text, a);
      default -> null;
    };
  }

  private static String needText(Arguments arguments, String name) {
    arguments.need(0, name);
    String text = arguments.text(0, name, null);
    if (text == null) {
      throw new JinjaException("argument " + name + " is none, want a string");
    }
    return text;
  }

  private static Object anyOf(Arguments arguments, Predicate<String> test) {
    Object wanted = arguments.need(0, "prefix");
    List<Object> all = wanted instanceof List ? Values.elements(wanted) : List.of(wanted);
    for (Object one : all) {
      if (!(one instanceof String text)) {
        throw Values.unfit(one, "a string");
      }
      if (test.test(text)) {
        return true;
      }
    }
    return false;
  }

  private static Object place(String text, int at) {
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }

  private static Object all(String text, IntPredicate test) {
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }

  private static Object cased(String text, IntPredicate one, IntPredicate other) {
    return text.codePoints().anyMatch(one) && text.codePoints().noneMatch(other);
  }

  private static Object padded(Arguments a, String text, String fill, boolean before) {
    int width = a.whole(0, "width", 0);
    long missing = width - Values.length(text);
    if (missing <= 0) {
      return text;
    }
    a.render().text(width);
    boolean signed = fill.equals("0") && before && (text.startsWith("-") || text.startsWith("+"));
    String padding = fill.repeat((int) missing);
    return signed
        ? text.charAt(0) + padding + text.substring(1)
        : before ? padding + text : text + padding;
  }

  /** str.replace; less than 0: all. */
  static String replace(Render render, String text, String old, String with, int count) {
    StringBuilder replaced = new StringBuilder();
    int left = count < 0 ? Integer.MAX_VALUE : count;
    int from = 0;
    while (left-- > 0) {
      int at = text.indexOf(old, from);
      if (at < 0 || (old.isEmpty() && at >= text.length())) {
        if (old.isEmpty() && from <= text.length()) {
          replaced.append(with);
        }
        break;
      }
      replaced.append(text, from, at).append(with);
      if (old.isEmpty()) {
        replaced.append(text.charAt(at));
      }
      from = at + Math.max(1, old.length());
      render.check(replaced.length());
    }
    return render.made(
        from >= text.length() ? replaced.toString() : replaced + text.substring(from));
  }

  static List<Object> split(String text, String separator, int most) {
    List<Object> parts = new ArrayList<>();
    int left = most < 0 ? Integer.MAX_VALUE : most;
    if (separator == null) {
      String rest = Strings.stripStart(text, null);
      while (!rest.isEmpty()) {
        int end = 0;
        while (end < rest.length() && !Strings.isSpace(rest.charAt(end))) {
          end++;
        }
        if (left-- == 0 || end == rest.length()) {
          parts.add(rest);
          break;
        }
        parts.add(rest.substring(0, end));
        checkSize(parts);
        rest = Strings.stripStart(rest.substring(end), null);
      }
      return parts;
    }
    checkSeparator(separator);
    int from = 0;
    for (int at = text.indexOf(separator); at >= 0 && left-- > 0; ) {
      parts.add(text.substring(from, at));
      checkSize(parts);
      from = at + separator.length();
      at = text.indexOf(separator, from);
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static void checkSize(List<Object> parts) {
    if (parts.size() > Render.MOST_ELEMENTS) {
      throw new JinjaException("a text falls into more than " + Render.MOST_ELEMENTS + " parts");
    }
  }

  private static void checkSeparator(String separator) {
    if (separator.isEmpty()) {
      throw new JinjaException("a separator is empty");
    }
  }

  private static List<Object> splitFromEnd(String text, String separator, int most) {
    if (separator == null) {
      List<Object> all = split(text, null, -1);
      if (most < 0 || all.size() <= most + 1) {
        return all;
      }
      throw new JinjaException("rsplit wants a separator with maxsplit");
    }
    checkSeparator(separator);
    List<Object> parts = new ArrayList<>();
    int left = most < 0 ? Integer.MAX_VALUE : most;
    int end = text.length();
    while (left-- > 0) {
      int at =
          end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
      if (at < 0) {
        break;
      }
      parts.add(0, text.substring(at + separator.length(), end));
      end = at;
    }
    parts.add(0, text.substring(0, end));
    return parts;
  }

  private static List<Object> lines(String text, boolean ends) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(c) >= 0) {
        int after =
            c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
        lines.add(text.substring(from, ends ? after : i));
        from = after;
        i = after - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  private static List<Object> parts(String text, String separator, int at) {
    checkSeparator(separator);
    return at < 0
        ? List.of(text, "", "")
        : List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  /** Elements with a text between; the method takes strings only, the filter anything. */
  static String join(Render render, String between, List<Object> elements, boolean any) {
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < elements.size(); i++) {
      Object one = elements.get(i);
      if (!any && !(one instanceof String)) {
        throw Values.unfit(one, "strings to join");
      }
      joined.append(i > 0 ? between : "").append(Values.text(one));
      render.check(joined.length());
    }
    return render.made(joined.toString());
  }
}
