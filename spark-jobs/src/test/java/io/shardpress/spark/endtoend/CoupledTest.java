package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.layout.GenerateModel;
import java.io.IOException;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Coupled rounding and steps by the end loss, as users run them. */
class CoupledTest {
  private static final String COUPLED =
      "CoupledModifier: {scheme: W3A16_ASYM, group_size: channel}";
  private static final Pattern LOSS = Pattern.compile("0 of 1 steps: mean KL (\\S+) on windows");

  @TempDir private Path folder;

  @Test
  void rowFactorsServeEveryScheme() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    CommandRun first = compress(model, COUPLED, "first");
    assertThat(first.err()).contains("backward 2").contains("row factors 8");
    CommandRun second = compress(model, COUPLED.replace("W3", "W2"), "second");
    assertThat(second.err().substring(second.err().indexOf("units run")))
        .doesNotContain("backward")
        .contains("coupled")
        .containsPattern("found in the part store: .*row factors 8");
  }

  /** More rows than may see one another: tiles of 256, of which each sees itself alone. */
  @Test
  void wideSitesAreCoupledInTiles() throws IOException {
    Path model = folder.resolve("model");
    GenerateModel.main(new String[] {model.toString(), "2", "64", "1100", "4", "2", "768", "1"});
    for (String name : List.of("tokenizer.json", "calibration.jsonl", "heldout.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), model.resolve(name));
    }
    CommandRun coupled = compress(model, COUPLED, "coupled");
    assertThat(coupled.err()).contains("units run").contains("coupled 10");
    compress(model, COUPLED.replace("Coupled", "GPTQ"), "gptq");
    Path text = model.resolve("calibration.jsonl");
    assertThat(kl(model, "coupled", text, 24)).isLessThan(kl(model, "gptq", text, 24));
  }

  /** The second of two windows is held back: what evaluate gives for two and for the first. */
  @Test
  void theLossOfWindowsHeldBackIsTheirDivergence() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Path text = model.resolve("calibration.jsonl");
    String tuned =
        "[{" + COUPLED + "}, {EndToEndModifier: {iterations: 1, batch_size: 1, held_back: 0.5}}]";
    CommandRun run = compress(model, tuned, "tuned", "--samples=2");
    compress(model, COUPLED, "start", "--samples=2");
    double both = kl(model, "start", text, 2);
    double first = kl(model, "start", text, 1);
    Matcher said = LOSS.matcher(run.err());
    assertThat(said.find()).as(run.err()).isTrue();
    double held = Double.parseDouble(said.group(1));
    assertThat(held).isCloseTo(2 * both - first, within(1e-3 * held));
  }

  /**
   * With nothing held back the last step is kept; it is learned from the text that it is taken at.
   */
  @Test
  void stepsLowerTheDivergence() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Path text = model.resolve("calibration.jsonl");
    compress(model, COUPLED, "start", "--samples=24");
    double start = kl(model, "start", text, 24);
    List<Double> tuned = new ArrayList<>();
    for (String more : List.of("", ", integers: 0.1, hidden_states: 0")) {
      String steps =
          "{EndToEndModifier: {iterations: 12, batch_size: 8, held_back: 0" + more + "}}";
      String output = "tuned" + tuned.size();
      compress(model, "[{" + COUPLED + "}, " + steps + "]", output, "--samples=24");
      tuned.add(kl(model, output, text, 24));
    }
    assertThat(tuned.get(0)).isLessThan(0.95 * start);
    assertThat(tuned.get(1)).isLessThan(0.95 * start);
    assertThat(codes("tuned1")).isNotEqualTo(codes("start"));
    assertThat(codes("tuned0")).isEqualTo(codes("start"));
  }

  /** Whatever a run without steps keeps is there after a run with steps, too. */
  @Test
  void activationsThatAreToStayStay() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    String tuned = "[{" + COUPLED + "}, {EndToEndModifier: {iterations: 1, batch_size: 2}}]";
    compress(model, COUPLED, "start", "--samples=16", "--keep-activations");
    Set<String> kept = parts();
    Files.move(folder.resolve("work"), folder.resolve("another"));
    compress(model, tuned, "tuned", "--samples=16", "--keep-activations");
    assertThat(parts()).containsAll(kept);
  }

  private Set<String> parts() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("work"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".arrow"))
          .collect(Collectors.toSet());
    }
  }

  /** The integers of a linear. */
  private List<Integer> codes(String output) throws IOException {
    IntBuffer codes =
        SampleFiles.read(folder.resolve(output), "model.safetensors").stream()
            .filter(tensor -> tensor.name().equals("model.layers.1.mlp.down_proj.weight_packed"))
            .findFirst()
            .orElseThrow()
            .ints();
    return IntStream.range(0, codes.limit()).map(codes::get).boxed().toList();
  }

  private CommandRun compress(Path model, String recipe, String output, String... more)
      throws IOException {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), folder.resolve(output).toString()));
    words.add("--recipe=" + Files.writeString(folder.resolve("recipe.yaml"), recipe + "\n"));
    words.addAll(List.of("--work=" + folder.resolve("work"), "--runtime=any"));
    words.addAll(List.of("--master=local[2]", "--samples=64", "--sequence-length=32"));
    words.removeIf(word -> more.length > 0 && word.startsWith("--samples"));
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private double kl(Path model, String output, Path text, int windows) throws IOException {
    CommandRun run =
        CommandRun.of(
            "evaluate",
            model.toString(),
            folder.resolve(output).toString(),
            "--json",
            "--text=" + text,
            "--samples=" + windows,
            "--sequence-length=32",
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    return new JsonMapper().readTree(run.out()).get("kl").get("mean").asDouble();
  }
}
