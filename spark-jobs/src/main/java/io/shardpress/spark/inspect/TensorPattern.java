package io.shardpress.spark.inspect;

import io.shardpress.schemas.recipe.NamePattern;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Chooses tensors by name: a name with {@code *} and {@code ?} as in a shell, or {@code re:} and a
 * regular expression anchored at the start, as recipes write them.
 */
public final class TensorPattern {
  private static final String REGEX = "re:";

  private TensorPattern() {}

  /**
   * The test for a name.
   *
   * @throws io.shardpress.schemas.UsageException where the regular expression is bad, or, from the
   *     test, where it would take too long
   */
  public static Predicate<String> of(String text) {
    if (text.startsWith(REGEX)) {
      NamePattern pattern = new NamePattern("pattern " + text, text.substring(REGEX.length()));
      return pattern::matchesStart;
    }
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      regex.append(
          switch (c) {
            case '*' -> ".*";
            case '?' -> ".";
            default -> Pattern.quote(String.valueOf(c));
          });
    }
    return Pattern.compile(regex.toString()).asMatchPredicate();
  }
}
