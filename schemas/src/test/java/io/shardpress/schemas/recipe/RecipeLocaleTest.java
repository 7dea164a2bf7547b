package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is published, and what names follow from, is the same on machines of any language. */
class RecipeLocaleTest {
  private static final String ASCII = "\\p{ASCII}*";

  private final Locale before = Locale.getDefault();

  @AfterEach
  void restore() {
    Locale.setDefault(before);
  }

  @Test
  void digitsAreNotTheMachines() {
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    assertThat(String.format(Locale.getDefault(), "%d", 128)).isNotEqualTo("128");
    String text =
        """
        quant_stage: {quant_modifiers: {GPTQModifier: {config_groups: {
          some: {targets: ['re:.*q_proj'],
            weights: {num_bits: 4, type: int, symmetric: true, strategy: group, group_size: 64},
            input_activations:
              {num_bits: 8, type: int, symmetric: true, strategy: token, dynamic: true}},
          others: {targets: [Linear],
            weights: {num_bits: 3, type: int, symmetric: true, strategy: group, group_size: 128}}}}}}
        """;
    Recipe recipe = Recipe.parse("r.yaml", text);
    assertThat(recipe.canonical()).contains("\"bits\":4", "\"group_size\":64").matches(ASCII);
    assertThat(recipe.toYaml())
        .contains("num_bits: 4", "num_bits: 8", "group_size: 64")
        .matches(ASCII);
    assertThat(recipe.modifiers().toString()).matches(ASCII);
    assertThat(Recipe.parse("recipe.yaml", recipe.toYaml())).isEqualTo(recipe);
  }
}
