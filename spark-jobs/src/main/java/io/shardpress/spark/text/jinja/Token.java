package io.shardpress.spark.text.jinja;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text of data, names and operators as they stand, of strings without quotes and escapes
 * @param value of numbers; null for others
 * @param line where it begins, from 1
 */
record Token(Kind kind, String text, Object value, int line) {
  /** Kinds of tokens. */
  enum Kind {
    /** Text between tags. */
    DATA,
    /** The beginning of a statement or an expression to print. */
    BLOCK_BEGIN,
    BLOCK_END,
    PRINT_BEGIN,
    PRINT_END,
    NAME,
    STRING,
    NUMBER,
    OPERATOR,
    END
  }

  boolean is(Kind other, String wanted) {
    return kind == other && text.equals(wanted);
  }

  /** Whether it is that operator. */
  boolean is(String operator) {
    return is(Kind.OPERATOR, operator);
  }

  /** Whether it is that name. */
  boolean names(String name) {
    return is(Kind.NAME, name);
  }

  @Override
  public String toString() {
    return switch (kind) {
      case END -> "the template's end";
      case BLOCK_END -> "%}";
      case PRINT_END -> "}}";
      default -> "'" + text + "'";
    };
  }
}
