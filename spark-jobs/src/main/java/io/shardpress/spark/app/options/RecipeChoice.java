package io.shardpress.spark.app.options;

import io.shardpress.schemas.recipe.Recipe;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/**
 * The recipe that was asked for: a file, or what scheme and algorithm make. Exactly one is there.
 *
 * @param file URI of a recipe
 * @param given the recipe of the command line's own options
 * @param seed in place of the one that the recipe's file names
 */
public record RecipeChoice(Optional<String> file, Optional<Recipe> given, OptionalLong seed) {
  public RecipeChoice {
    if (file.isPresent() == given.isPresent()) {
      throw new IllegalArgumentException("want a file or a recipe, and not both");
    }
  }

  /**
   * The recipe itself.
   *
   * @param read gives the text of a URI
   * @throws io.shardpress.schemas.UsageException for a file that is no recipe
   */
  public Recipe resolve(UnaryOperator<String> read) {
    if (given.isPresent()) {
      return given.get();
    }
    Recipe recipe = Recipe.parse(file.orElseThrow(), read.apply(file.orElseThrow()));
    return seed.isPresent() ? recipe.withSeed(seed.getAsLong()) : recipe;
  }
}
