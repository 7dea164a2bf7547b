package io.shardpress.schemas;

import java.util.Locale;
import java.util.regex.Pattern;

/** Messages of one line: names of tensors, files and keys come from outside. */
final class OneLine {
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private OneLine() {}

  /** The text with line ends and terminal codes as %0a, %1b and so on. */
  static String of(String message) {
    return CONTROL
        .matcher(message)
        .replaceAll(c -> String.format(Locale.ROOT, "%%%02x", (int) c.group().charAt(0)));
  }
}
