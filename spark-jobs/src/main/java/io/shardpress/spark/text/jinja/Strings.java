package io.shardpress.spark.text.jinja;

import java.util.Locale;

/** Python's rules for characters and strings. */
final class Strings {
  private Strings() {}

  /** Whether str.isspace says so. */
  static boolean isSpace(char c) {
    return (c >= 0x09 && c <= 0x0d)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || (c > 0xff && Character.isSpaceChar(c));
  }

  /** str.rstrip; null strips white space. */
  static String stripEnd(String text, String characters) {
    int end = text.length();
    while (end > 0 && strips(text.charAt(end - 1), characters)) {
      end--;
    }
    return text.substring(0, end);
  }

  /** str.lstrip. */
  static String stripStart(String text, String characters) {
    int from = 0;
    while (from < text.length() && strips(text.charAt(from), characters)) {
      from++;
    }
    return text.substring(from);
  }

  static String strip(String text, String characters) {
    return stripStart(stripEnd(text, characters), characters);
  }

  private static boolean strips(char c, String characters) {
    return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
  }

  /** str.capitalize. */
  static String capitalize(String text) {
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toUpperCase(Locale.ROOT)
            + text.substring(1).toLowerCase(Locale.ROOT);
  }

  /** str.title: letters behind letters are small, others large. */
  static String title(String text) {
    StringBuilder titled = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      titled.append(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return titled.toString();
  }

  /** A string literal's text by Python's escapes; what is none stays. */
  static String unescaped(String literal) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < literal.length(); i++) {
      char c = literal.charAt(i);
      if (c != '\\' || i + 1 == literal.length()) {
        text.append(c);
        continue;
      }
      char e = literal.charAt(++i);
      switch (e) {
        case 'n' -> text.append('\n');
        case 't' -> text.append('\t');
        case 'r' -> text.append('\r');
        case 'b' -> text.append('\b');
        case 'f' -> text.append('\f');
        case 'v' -> text.append('\u000b');
        case 'a' -> text.append('\u0007');
        case '\\', '\'', '"' -> text.append(e);
        case '\n' -> {}
        case 'x', 'u', 'U' -> i = code(literal, i, e == 'x' ? 2 : e == 'u' ? 4 : 8, text);
        default -> {
          if (e >= '0' && e <= '7') {
            i = octal(literal, i, text);
          } else {
            text.append('\\').append(e);
          }
        }
      }
    }
    return text.toString();
  }

  private static int code(String literal, int at, int digits, StringBuilder text) {
    int end = at + 1 + digits;
    try {
      text.appendCodePoint(Integer.parseInt(literal.substring(at + 1, end), 16));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new JinjaException("string with a broken escape: '" + literal + "'");
    }
    return end - 1;
  }

  private static int octal(String literal, int from, StringBuilder text) {
    int at = from;
    int code = 0;
    while (at < literal.length() && at < from + 3 && "01234567".indexOf(literal.charAt(at)) >= 0) {
      code = 8 * code + literal.charAt(at++) - '0';
    }
    text.append((char) code);
    return at - 1;
  }

  /** Python's repr of a string. */
  static String repr(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder shown = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> shown.append("\\n");
                case '\r' -> shown.append("\\r");
                case '\t' -> shown.append("\\t");
                case '\\' -> shown.append("\\\\");
                default -> {
                  if (c == quote) {
                    shown.append('\\').append(quote);
                  } else if (c < 0x20 || (c >= 0x7f && c < 0xa1) || c == 0xad) {
                    shown.append(String.format(Locale.ROOT, "\\x%02x", c));
                  } else if (printable(c)) {
                    shown.appendCodePoint(c);
                  } else {
                    shown.append(String.format(Locale.ROOT, c > 0xffff ? "\\U%08x" : "\\u%04x", c));
                  }
                }
              }
            });
    return shown.append(quote).toString();
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }
}
