package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** conf/recipes: its files can be run, and its README shows the table that the parser uses. */
class ReadyRecipesTest {
  private static final Path FOLDER = Path.of("..", "conf", "recipes");

  static List<Path> recipes() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void parses(Path file) throws IOException {
    Recipe recipe = Recipe.parse(file.toString(), Files.readString(file));
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
    assertThat(recipe.choose("lm_head", "Linear")).isEmpty();
    assertThat(recipe.choose("model.layers.0.self_attn.q_proj", "Linear")).isPresent();
  }

  @ParameterizedTest
  @CsvSource({"w4a16-lrq.yaml,lrq", "w4a16-gptq.yaml,gptq", "w4a16-rtn.yaml,rtn"})
  void equalsTheCommandLinesDefault(String file, String algorithm) throws IOException {
    assertThat(Recipe.parse(file, Files.readString(FOLDER.resolve(file))))
        .isEqualTo(Recipe.of(algorithm, "W4A16", OptionalInt.empty(), List.of(), List.of(), 0));
  }

  @Test
  void theReadmeShowsTheParsersTable() throws IOException {
    List<String> rows =
        Files.readAllLines(FOLDER.resolve("README.md")).stream()
            .dropWhile(line -> !line.equals("## Keys"))
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.substring(0, line.lastIndexOf('|', line.length() - 2)).strip())
            .toList();
    assertThat(rows)
        .as("key | modifiers | value | default | llm-compressor, without the last column's words")
        .containsExactlyElementsOf(Arrays.stream(SettingKey.values()).map(this::row).toList());
  }

  private String row(SettingKey key) {
    String modifiers =
        key.kinds().equals(SettingKey.IGNORE.kinds())
            ? "all"
            : key.kinds().stream()
                .map(ReadyRecipesTest::shortName)
                .collect(Collectors.joining(", "));
    String standard = text(key.standard());
    String others =
        key.kinds().stream()
            .filter(key.others()::containsKey)
            .map(kind -> shortName(kind) + ": " + text(key.others().get(kind)))
            .collect(Collectors.joining(", "));
    if (!others.isEmpty()) {
      standard += " (" + others + ")";
    }
    return "| `%s` | %s | %s | %s | %s"
        .formatted(key.key(), modifiers, key.domain().wanted(), standard, key.elsewhere())
        .strip();
  }

  private static String shortName(ModifierKind kind) {
    return kind.modifier().replace("Modifier", "");
  }

  private static String text(Object value) {
    return value instanceof Double number ? Decimals.text(number) : String.valueOf(value);
  }
}
