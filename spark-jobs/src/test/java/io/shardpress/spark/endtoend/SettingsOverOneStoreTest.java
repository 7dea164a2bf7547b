package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SettingFlips.Flip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs whose recipes differ in one setting share a store, and publish what they publish with a
 * store of their own: no part is taken for that of another setting. In full with {@code
 * -Dshardpress.settings=full}; otherwise each modifier tries each {@value #EVERY}th of its flips.
 */
class SettingsOverOneStoreTest {
  private static final Path KEYS = Path.of("..", "conf", "recipes", "README.md");
  private static final int EVERY = 10;
  private static final boolean FULL = "full".equals(System.getProperty("shardpress.settings"));

  @TempDir private Path folder;
  private Path model;

  @BeforeEach
  void writeModel() throws IOException {
    model = SmallModel.write(folder.resolve("model"));
  }

  static List<SettingFlips> modifiers() {
    return SettingFlips.all();
  }

  @ParameterizedTest
  @MethodSource("modifiers")
  void noSettingTakesAnothersParts(SettingFlips modifier) throws IOException {
    List<Flip> recipes = modifier.recipes();
    int offset = modifier.modifier().length();
    List<Flip> tried =
        IntStream.range(0, recipes.size())
            .filter(i -> FULL || i == 0 || (i + offset) % EVERY == 0)
            .mapToObj(recipes::get)
            .toList();
    Map<String, String> shared = new TreeMap<>();
    for (Flip flip : tried) {
      shared.put(flip.name(), compress(flip, folder.resolve("shared")));
    }
    for (Flip flip : tried) {
      assertThat(compress(flip, folder.resolve("own " + flip.name().hashCode())))
          .as("%s with %s", modifier.modifier(), flip.name())
          .isEqualTo(shared.get(flip.name()));
    }
    if (FULL) {
      assertThat(Set.copyOf(shared.values())).as("different outputs").hasSizeGreaterThan(1);
    }
  }

  @Test
  void everyKeyOfEveryModifierIsFlipped() throws IOException {
    Map<String, Set<String>> known = new TreeMap<>();
    for (String line : Files.readAllLines(KEYS)) {
      String[] cells = line.split(" *\\| *");
      // A key of one value, and one that is passed over, has nothing to flip.
      boolean fixed =
          line.contains("| read and passed over")
              || line.matches("([^|]*\\|){3} (anything|(null|true|false) only|smoothquant ).*");
      if (line.startsWith("| `") && cells.length > 5 && !cells[1].contains(".yaml") && !fixed) {
        String key = cells[1].replace("`", "");
        for (SettingFlips modifier : SettingFlips.all()) {
          String name = modifier.modifier().replace("Modifier", "");
          boolean every = cells[2].equals("all") && !name.equals("EndToEnd");
          if (every || List.of(cells[2].split(", ")).contains(name)) {
            known.computeIfAbsent(modifier.modifier(), m -> new TreeSet<>()).add(key);
          }
        }
      }
    }
    Map<String, Set<String>> flipped = new TreeMap<>();
    for (SettingFlips modifier : SettingFlips.all()) {
      flipped
          .computeIfAbsent(modifier.modifier(), m -> new TreeSet<>())
          .addAll(modifier.flips().keySet());
    }
    assertThat(flipped).containsOnlyKeys(known.keySet());
    flipped.forEach((modifier, keys) -> assertThat(keys).containsAll(known.get(modifier)));
  }

  private String compress(Flip flip, Path work) throws IOException {
    Path recipe = Files.writeString(folder.resolve("recipe.yaml"), flip.recipe());
    Path output = folder.resolve("out");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--overwrite",
            "--recipe=" + recipe,
            "--work=" + work,
            "--master=local[2]",
            "--samples=6",
            "--sequence-length=16");
    assertThat(run.code()).as(flip.name() + ": " + run.err()).isZero();
    return run.line();
  }
}
