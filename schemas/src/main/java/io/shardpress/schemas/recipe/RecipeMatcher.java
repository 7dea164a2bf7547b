package io.shardpress.schemas.recipe;

import java.util.List;
import java.util.Optional;

/** A recipe's targets with their patterns compiled once, for the many modules of a model. */
public final class RecipeMatcher {
  private record Compiled(Modifier modifier, TargetMatcher ignore, List<TargetMatcher> groups) {}

  /** The name that recipes call the output head by, whatever it is inside of. */
  private static final String HEAD = "lm_head";

  private final List<Compiled> modifiers;

  RecipeMatcher(Recipe recipe) {
    modifiers =
        recipe.modifiers().stream()
            .map(
                m ->
                    new Compiled(
                        m,
                        new TargetMatcher(m.ignore()),
                        m.groups().stream().map(g -> new TargetMatcher(g.targets())).toList()))
            .toList();
  }

  private static boolean isHead(String module) {
    return module.endsWith("." + HEAD);
  }

  /**
   * What is to be done to a module; empty: nothing, it is copied. A head inside of something else,
   * such as language_model.lm_head, is ignored as lm_head, too.
   */
  public Optional<Recipe.Choice> choose(String module, String className) {
    for (Compiled compiled : modifiers) {
      if (compiled.ignore.matches(module, className)
          || (isHead(module) && compiled.ignore.matches(HEAD, className))) {
        continue;
      }
      for (int i = 0; i < compiled.groups.size(); i++) {
        if (compiled.groups.get(i).matches(module, className)) {
          return Optional.of(
              new Recipe.Choice(compiled.modifier, compiled.modifier.groups().get(i)));
        }
      }
    }
    return Optional.empty();
  }
}
