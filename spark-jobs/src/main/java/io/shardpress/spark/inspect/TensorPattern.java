package io.shardpress.spark.inspect;

import io.shardpress.schemas.UsageException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

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
   * @throws UsageException where the regular expression is bad
   */
  public static Predicate<String> of(String text) {
    if (text.startsWith(REGEX)) {
      try {
        Pattern pattern = Pattern.compile(text.substring(REGEX.length()));
        return name -> pattern.matcher(name).lookingAt();
      } catch (PatternSyntaxException e) {
        throw new UsageException(
            "pattern " + text + ": " + e.getDescription() + " at character " + e.getIndex(), e);
      }
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
