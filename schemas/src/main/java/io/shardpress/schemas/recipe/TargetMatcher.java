package io.shardpress.schemas.recipe;

import java.util.List;

/**
 * Whether a module is meant by a list of targets, by compressed-tensors' rules: a target is a
 * module's exact name, {@code re:} and a pattern that matches from the name's start (Python's
 * re.match), or a class name such as {@code Linear}.
 */
public final class TargetMatcher {
  private static final String REGEX = "re:";

  private final List<String> exact;
  private final List<NamePattern> patterns;

  /**
   * Compiles the targets.
   *
   * @throws io.shardpress.schemas.UsageException for a pattern that is not a regular expression
   */
  public TargetMatcher(List<String> targets) {
    exact = targets.stream().filter(t -> !t.startsWith(REGEX)).toList();
    patterns =
        targets.stream()
            .filter(t -> t.startsWith(REGEX))
            .map(t -> new NamePattern("target '" + t + "'", t.substring(REGEX.length())))
            .toList();
  }

  /**
   * Whether any target means this module.
   *
   * @param module its name without {@code .weight}: model.layers.0.mlp.up_proj
   * @param className its class as targets call it, Linear for every 2-D weight of a linear
   * @throws io.shardpress.schemas.UsageException for a pattern that would take too long
   */
  public boolean matches(String module, String className) {
    return exact.contains(module)
        || exact.contains(className)
        || patterns.stream().anyMatch(p -> p.matchesStart(module));
  }
}
