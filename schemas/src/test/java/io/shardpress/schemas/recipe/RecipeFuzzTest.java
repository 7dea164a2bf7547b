package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.fuzz.ByteDamage;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.JsonDamage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Damaged recipes: each is read as {@link RecipeOracle} reads it, or refused in one line. What is
 * accepted can be written, matched and hashed.
 */
class RecipeFuzzTest {
  private static final Path FOLDER = Path.of("../conf/recipes");

  @Test
  void damagedRecipesAreReadAsYamlSaysOrRefused() throws Exception {
    int cases = Fuzz.cases(3000, 20_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Recipes());
    assertThat(tally.accepted()).isGreaterThan(cases / 20);
    assertThat(tally.refused()).isGreaterThan(cases / 4);
  }

  private static final class Recipes implements FuzzSubject<String, Recipe> {
    private final List<String> good = new ArrayList<>();

    Recipes() throws IOException {
      try (Stream<Path> files = Files.list(FOLDER)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
          good.add(Files.readString(file));
        }
      }
      good.add(
          """
          quant_stage:
            quant_modifiers:
              SmoothQuantModifier: {smoothing_strength: 0.8, mappings: null}
              GPTQModifier:
                ignore: [lm_head, 're:.*mlp\\.gate$']
                scheme: {W4A16: ['re:.*(q|k|v)_proj$'], W8A16: [Linear]}
                group_size: 64
                damping: 1e-2
                seed: -7
          """);
      good.add(
          """
          - LRQModifier: {scheme: W3A16_ASYM, iterations: 20, learning_rate: 2e-3, rank: 8, init: rtn,
              objective: layer, order: parallel, batch_size: 1, keep_best: false, seed: 12345678901}
          """);
    }

    @Override
    public String make(Random random) {
      String yaml = good.get(random.nextInt(good.size()));
      if (random.nextInt(3) > 0) {
        Object tree = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
        yaml = new JsonDamage(random).damage(json(tree, random)).write();
      }
      if (random.nextInt(3) == 0) {
        byte[] bytes = yaml.getBytes(StandardCharsets.UTF_8);
        yaml = new String(new ByteDamage(random).damage(bytes), StandardCharsets.UTF_8);
      }
      return yaml;
    }

    /** The same as JSON, which is YAML too; now and then a setting more. */
    private static Json json(Object value, Random random) {
      if (value instanceof Map<?, ?> map) {
        List<Json.Entry> entries = new ArrayList<>();
        map.forEach((k, v) -> entries.add(new Json.Entry("\"" + k + "\"", json(v, random))));
        if (map.containsKey("scheme") || map.containsKey("config_groups")) {
          List<SettingKey> keys = List.of(SettingKey.values());
          SettingKey key = keys.get(random.nextInt(keys.size()));
          String standard =
              key.standard() instanceof String s ? "\"" + s + "\"" : "" + key.standard();
          entries.add(new Json.Entry("\"" + key.key() + "\"", new Json.Scalar(standard)));
        }
        return new Json.Mapping(entries);
      }
      if (value instanceof List<?> list) {
        return new Json.Array(list.stream().map(one -> json(one, random)).toList());
      }
      return value instanceof String text
          ? new Json.Scalar("\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
          : new Json.Scalar(String.valueOf(value));
    }

    @Override
    public long bytes(String input) {
      return input.getBytes(StandardCharsets.UTF_8).length;
    }

    /** A bracket is a token with two marks and an event to SnakeYAML, which is asked twice. */
    @Override
    public long allocatedPerByte() {
      return 2000;
    }

    @Override
    public String show(String input) {
      return input;
    }

    @Override
    public Recipe read(String input) {
      Recipe recipe = Recipe.parse("r.yaml", input);
      recipe.choose("model.layers.0.mlp.down_proj", "Linear");
      return recipe;
    }

    @Override
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof UsageException;
    }

    @Override
    public void accepted(String input, Recipe recipe) {
      new RecipeOracle(input).check(recipe);
      Recipe again = Recipe.parse("again.yaml", recipe.toYaml());
      assertThat(again).isEqualTo(recipe);
      assertThat(again.digest()).isEqualTo(recipe.digest());
    }
  }
}
