package io.shardpress.spark.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Optional;

/** Forms of values that hold no others, as {@link CanonicalForm} lists them. */
final class Atoms {
  private Atoms() {}

  /** The form of a number, a boolean, a char, or an enum's constant; none for other values. */
  static Optional<String> form(Object value) {
    String form = null;
    if (value instanceof Enum<?> constant) {
      form = RecordComponents.nameOf(constant.getDeclaringClass()) + '.' + constant.name();
    } else if (value instanceof Boolean || value instanceof Integer) {
      form = value.toString();
    } else if (value instanceof Long) {
      form = value + "L";
    } else if (value instanceof Short) {
      form = value + "s";
    } else if (value instanceof Byte) {
      form = value + "b";
    } else if (value instanceof Character letter) {
      form = (int) letter + "c";
    } else if (value instanceof Float number) {
      // In hexadecimal: which decimal digits are printed is not the same on all JDKs.
      form = Float.toHexString(number) + "f";
    } else if (value instanceof Double number) {
      form = Double.toHexString(number) + "d";
    }
    return Optional.ofNullable(form);
  }

  /** The form of a text that {@link #isWhole}. */
  static String form(String text) {
    return "\"" + text.length() + ':' + text + '"';
  }

  /** Whether a text has no half of a surrogate pair, for which UTF-8 has no bytes. */
  static boolean isWhole(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return UTF_8.newEncoder().canEncode(text);
      }
    }
    return true;
  }
}
