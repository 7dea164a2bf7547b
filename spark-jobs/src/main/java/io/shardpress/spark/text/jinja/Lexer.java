package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes a template apart, with Jinja2's trim_blocks and lstrip_blocks, as Transformers sets them:
 * the newline behind a statement and the blanks before it on its line are none of the text.
 */
final class Lexer {
  private static final List<String> LONG_OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=");
  private static final String OPERATORS = "+-*/%~[](){}<>=.:|,;";

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether the data that follows begins a line. */
  private boolean lineBegins = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String unified = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer =
        new Lexer(unified.endsWith("\n") ? unified.substring(0, unified.length() - 1) : unified);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag(at);
      if (tag < 0) {
        data(source.substring(at));
        at = source.length();
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      data(before(tag, kind, sign));
      count(at, tag);
      at = tag + (sign == '-' || sign == '+' ? 3 : 2);
      switch (kind) {
        case '#' -> comment();
        case '%' -> block();
        default -> print();
      }
    }
    tokens.add(new Token(Token.Kind.END, "", null, line));
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The data before a tag without what the tag strips. */
  private String before(int tag, char kind, char sign) {
    String text = source.substring(at, tag);
    if (sign == '-') {
      return Strings.stripEnd(text, null);
    }
    if (sign != '+' && kind != '{') {
      int start = text.lastIndexOf('\n') + 1;
      boolean blank = text.substring(start).chars().allMatch(c -> c == ' ' || c == '\t');
      if ((start > 0 || lineBegins) && blank) {
        return text.substring(0, start);
      }
    }
    return text;
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Token.Kind.DATA, text, null, line));
    }
  }

  private void count(int from, int to) {
    for (int i = from; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw wrong("comment without #}");
    }
    count(at, end);
    char sign = end > at ? source.charAt(end - 1) : ' ';
    at = end + 2;
    after(sign, true);
  }

  /** Skips what a tag's end takes with it. */
  private void after(char sign, boolean block) {
    int from = at;
    if (sign == '-') {
      while (at < source.length() && Strings.isSpace(source.charAt(at))) {
        at++;
      }
    } else if (block && sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
    count(from, at);
    lineBegins = at > 0 && source.charAt(at - 1) == '\n';
  }

  private void block() {
    int first = tokens.size();
    tokens.add(new Token(Token.Kind.BLOCK_BEGIN, "{%", null, line));
    inside("%}", Token.Kind.BLOCK_END);
    if (tokens.size() == first + 3 && tokens.get(first + 1).names("raw")) {
      tokens.subList(first, tokens.size()).clear();
      raw();
    }
  }

  private void print() {
    tokens.add(new Token(Token.Kind.PRINT_BEGIN, "{{", null, line));
    inside("}}", Token.Kind.PRINT_END);
  }

  /** Text up to endraw as it stands. */
  private void raw() {
    Matcher end = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}").matcher(source);
    if (!end.find(at)) {
      throw wrong("raw without endraw");
    }
    char sign = end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0);
    data(before(end.start(), '%', sign));
    count(at, end.start());
    at = end.end();
    after(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
  }

  /** Tokens of a tag up to its end, which does not count inside brackets. */
  private void inside(String end, Token.Kind kind) {
    int open = 0;
    while (true) {
      while (at < source.length() && Strings.isSpace(source.charAt(at))) {
        count(at, at + 1);
        at++;
      }
      if (at >= source.length()) {
        throw wrong("tag without " + end);
      }
      char c = source.charAt(at);
      if (open == 0) {
        boolean signed = c == '-' || (c == '+' && kind == Token.Kind.BLOCK_END);
        if (source.startsWith(end, signed ? at + 1 : at)) {
          at += signed ? 3 : 2;
          tokens.add(new Token(kind, end, null, line));
          after(signed ? c : ' ', kind == Token.Kind.BLOCK_END);
          return;
        }
      }
      if (c == '\'' || c == '"') {
        string(c);
      } else if (c >= '0' && c <= '9') {
        number();
      } else if (c == '_' || Character.isUnicodeIdentifierStart(c)) {
        int from = at;
        while (at < source.length()
            && (source.charAt(at) == '_' || Character.isUnicodeIdentifierPart(source.charAt(at)))) {
          at++;
        }
        tokens.add(new Token(Token.Kind.NAME, source.substring(from, at), null, line));
      } else {
        String operator = operator();
        open += "([{".contains(operator) ? 1 : ")]}".contains(operator) ? -1 : 0;
        if (open < 0) {
          throw wrong("unexpected '" + operator + "'");
        }
        tokens.add(new Token(Token.Kind.OPERATOR, operator, null, line));
      }
    }
  }

  private String operator() {
    for (String two : LONG_OPERATORS) {
      if (source.startsWith(two, at)) {
        at += 2;
        return two;
      }
    }
    char c = source.charAt(at);
    if (OPERATORS.indexOf(c) < 0) {
      throw wrong("unexpected character '" + c + "'");
    }
    at++;
    return String.valueOf(c);
  }

  private void string(char quote) {
    int from = at + 1;
    int end = from;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw wrong("string without " + quote);
    }
    String text = Strings.unescaped(source.substring(from, end));
    tokens.add(new Token(Token.Kind.STRING, text, null, line));
    count(at, end);
    at = end + 1;
  }

  private void number() {
    int from = at;
    digits();
    boolean attribute = !tokens.isEmpty() && tokens.get(tokens.size() - 1).is(".");
    boolean real = false;
    if (!attribute && at + 1 < source.length() && source.charAt(at) == '.' && digit(at + 1)) {
      real = true;
      at++;
      digits();
    }
    if (!attribute && at + 1 < source.length() && "eE".indexOf(source.charAt(at)) >= 0) {
      int sign = "+-".indexOf(source.charAt(at + 1)) >= 0 ? 2 : 1;
      if (digit(at + sign)) {
        real = true;
        at += sign;
        digits();
      }
    }
    String text = source.substring(from, at).replace("_", "");
    try {
      Object value = real ? (Object) Double.valueOf(text) : (Object) Long.valueOf(text);
      tokens.add(new Token(Token.Kind.NUMBER, text, value, line));
    } catch (NumberFormatException e) {
      throw wrong("number " + text + " is too large");
    }
  }

  private boolean digit(int place) {
    return place < source.length() && source.charAt(place) >= '0' && source.charAt(place) <= '9';
  }

  private void digits() {
    while (digit(at) || (at < source.length() && source.charAt(at) == '_' && digit(at + 1))) {
      at++;
    }
  }

  private JinjaException wrong(String what) {
    return new JinjaException("line " + line + ": " + what);
  }
}
