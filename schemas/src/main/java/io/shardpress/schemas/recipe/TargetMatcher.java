package io.shardpress.schemas.recipe;

import io.shardpress.schemas.UsageException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Whether a module is meant by a list of targets, by compressed-tensors' rules: a target is a
 * module's exact name, {@code re:} and a pattern that matches from the name's start (Python's
 * re.match), or a class name such as {@code Linear}.
 */
public final class TargetMatcher {
  private static final String REGEX = "re:";

  private final List<String> exact;
  private final List<Pattern> patterns;

  /**
   * Compiles the targets.
   *
   * @throws UsageException for a pattern that is not a regular expression
   */
  public TargetMatcher(List<String> targets) {
    exact = targets.stream().filter(t -> !t.startsWith(REGEX)).toList();
    patterns =
        targets.stream().filter(t -> t.startsWith(REGEX)).map(TargetMatcher::compile).toList();
  }

  private static Pattern compile(String target) {
    try {
      // Python writes named groups with a P that Java does not know.
      return Pattern.compile(target.substring(REGEX.length()).replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      throw new UsageException(
          "target '"
              + target
              + "' is no regular expression: "
              + e.getDescription()
              + " at "
              + e.getIndex(),
          e);
    }
  }

  /**
   * Whether any target means this module.
   *
   * @param module its name without {@code .weight}: model.layers.0.mlp.up_proj
   * @param className its class as targets call it, Linear for every 2-D weight of a linear
   */
  public boolean matches(String module, String className) {
    return exact.contains(module)
        || exact.contains(className)
        || patterns.stream().anyMatch(p -> p.matcher(module).lookingAt());
  }
}
