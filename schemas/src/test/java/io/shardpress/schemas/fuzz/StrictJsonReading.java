package io.shardpress.schemas.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * JSON by the letter of RFC 8259, read a second time and in another way than the product's: bytes
 * that are UTF-8, one value, no key twice. Empty is the answer for all else.
 */
public final class StrictJsonReading {
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*+)(\\.[0-9]++)?([eE][+-]?[0-9]++)?");

  /** What Python's json module writes beside RFC 8259. */
  private static final List<String> PYTHON = List.of("NaN", "Infinity", "-Infinity");

  /** Deeper text is given up; products may stop before that. */
  private static final int DEEPEST = 1200;

  private final String text;
  private final List<String> words;
  private int at;

  private StrictJsonReading(String text, boolean python) {
    this.text = text;
    this.words = new ArrayList<>(List.of("true", "false", "null"));
    if (python) {
      words.addAll(PYTHON);
    }
  }

  private static final class Wrong extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Wrong() {
      super("not JSON", null, false, false);
    }
  }

  /**
   * @param python take NaN and infinities too
   */
  public static Optional<Json> read(byte[] bytes, boolean python) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
      return Optional.empty();
    }
    StrictJsonReading reading = new StrictJsonReading(text, python);
    try {
      Json value = reading.value(0);
      reading.spaces();
      return reading.at == text.length() ? Optional.of(value) : Optional.empty();
    } catch (Wrong | StringIndexOutOfBoundsException end) {
      return Optional.empty();
    }
  }

  /** The bytes behind a byte order mark, which files may have before their JSON. */
  public static byte[] unmarked(byte[] bytes) {
    boolean marked =
        new String(bytes, StandardCharsets.ISO_8859_1).startsWith("\u00ef\u00bb\u00bf");
    return marked ? Arrays.copyOfRange(bytes, 3, bytes.length) : bytes;
  }

  private Json value(int depth) {
    spaces();
    char first = text.charAt(at);
    if (depth > DEEPEST) {
      throw new Wrong();
    }
    if (first == '{') {
      return mapping(depth);
    }
    if (first == '[') {
      return array(depth);
    }
    if (first == '"') {
      return new Json.Scalar(quoted());
    }
    for (String word : words) {
      if (text.startsWith(word, at)) {
        at += word.length();
        return new Json.Scalar(word);
      }
    }
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    if (!number.lookingAt()) {
      throw new Wrong();
    }
    at = number.end();
    return new Json.Scalar(number.group());
  }

  private Json mapping(int depth) {
    List<Json.Entry> entries = new ArrayList<>();
    Set<String> keys = new HashSet<>();
    at++;
    spaces();
    if (take('}')) {
      return new Json.Mapping(entries);
    }
    do {
      spaces();
      String key = quoted();
      spaces();
      if (!keys.add(string(key)) || !take(':')) {
        throw new Wrong();
      }
      entries.add(new Json.Entry(key, value(depth + 1)));
      spaces();
    } while (take(','));
    if (!take('}')) {
      throw new Wrong();
    }
    return new Json.Mapping(entries);
  }

  private Json array(int depth) {
    List<Json> elements = new ArrayList<>();
    at++;
    spaces();
    if (take(']')) {
      return new Json.Array(elements);
    }
    do {
      elements.add(value(depth + 1));
      spaces();
    } while (take(','));
    if (!take(']')) {
      throw new Wrong();
    }
    return new Json.Array(elements);
  }

  private String quoted() {
    int start = at;
    if (!take('"')) {
      throw new Wrong();
    }
    while (!take('"')) {
      char c = text.charAt(at++);
      if (c < ' ') {
        throw new Wrong();
      }
      if (c == '\\') {
        char escape = text.charAt(at++);
        if ("\"\\/bfnrt".indexOf(escape) < 0 && escape != 'u') {
          throw new Wrong();
        }
        for (int i = 0; escape == 'u' && i < 4; i++) {
          char digit = text.charAt(at++);
          if ("0123456789abcdefABCDEF".indexOf(digit) < 0) {
            throw new Wrong();
          }
        }
      }
    }
    return text.substring(start, at);
  }

  private boolean take(char wanted) {
    if (at < text.length() && text.charAt(at) == wanted) {
      at++;
      return true;
    }
    return false;
  }

  private void spaces() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  /** What a string in quotes stands for; anything else as it is written. */
  public static String string(String quoted) {
    if (quoted.length() < 2 || quoted.charAt(0) != '"' || quoted.indexOf('\\') < 0) {
      return quoted.length() < 2 || quoted.charAt(0) != '"'
          ? quoted
          : quoted.substring(1, quoted.length() - 1);
    }
    StringBuilder out = new StringBuilder();
    for (int i = 1; i < quoted.length() - 1; i++) {
      char c = quoted.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escape = quoted.charAt(++i);
      int plain = "bfnrt".indexOf(escape);
      if (plain >= 0) {
        out.append("\b\f\n\r\t".charAt(plain));
      } else if (escape == 'u') {
        out.append((char) Integer.parseInt(quoted.substring(i + 1, i + 5), 16));
        i += 4;
      } else {
        out.append(escape);
      }
    }
    return out.toString();
  }
}
