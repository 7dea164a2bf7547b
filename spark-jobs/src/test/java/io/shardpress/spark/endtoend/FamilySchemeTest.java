package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.schemas.recipe.Schemes;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.family.TinyFamily;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family in every scheme by plain rounding: written, and read again by evaluate. */
@SuppressWarnings("EnumOrdinal")
class FamilySchemeTest {
  /**
   * The most that plain rounding may cost, mean KL. Models of random weights feel every rounding:
   * KL goes with the noise's share of the weights' variance, so that 8 bits cost 250 times less
   * than 4, until it nears the 1.8 to 2.6 of weights that are read a row beside their places. With
   * experts, tokens near a tie of the router go to others, which is most of what 8 bits cost.
   */
  private static double most(String scheme, boolean experts) {
    return switch (scheme) {
      case "W8A16", "W8A16_ASYM" -> experts ? 0.02 : 0.004;
      case "W8A8" -> experts ? 0.03 : 0.012;
      case "W8A8_STATIC" -> 0.03;
      case "FP8", "FP8_DYNAMIC", "FP8_BLOCK" -> 0.15;
      case "W3A16", "W3A16_ASYM" -> 1.2;
      case "W2A16", "W2A16_ASYM" -> 2.0;
      default -> 0.6; // four bits, integers or floats
    };
  }

  @TempDir Path folder;

  /** Two schemes of each family; with {@code -Dshardpress.families=full} all of them. */
  static Stream<Arguments> cases() {
    boolean full = "full".equals(System.getProperty("shardpress.families"));
    List<String> schemes = Schemes.supported();
    int families = TinyFamily.values().length;
    return Stream.of(TinyFamily.values())
        .flatMap(
            family ->
                IntStream.range(0, schemes.size())
                    .filter(i -> full || i % families == family.ordinal())
                    .mapToObj(i -> Arguments.of(family, schemes.get(i))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isWrittenAndRead(TinyFamily family, String scheme) throws IOException {
    Path model = family.write(folder.resolve("model"));
    Path output = folder.resolve("out");
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--scheme=" + scheme));
    words.addAll(List.of("--algorithm=rtn", "--runtime=any", "--master=local[2]"));
    words.addAll(List.of("--samples=16", "--sequence-length=32"));
    if (scheme.startsWith("W") && !scheme.startsWith("W8A8")) {
      words.add("--group-size=32");
    }
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    boolean fixed = scheme.equals("FP8") || scheme.equals("W8A8_STATIC");
    boolean experts = family.name().endsWith("MOE") || family == TinyFamily.MIXTRAL;
    if (fixed && experts) {
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.errors()).singleElement().asString().contains("expert", "static");
      return;
    }
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.line()).isEqualTo(new Published(output).treeHash());
    CommandRun evaluated =
        CommandRun.of(
            "evaluate",
            model.toString(),
            output.toString(),
            "--json",
            "--samples=8",
            "--sequence-length=32",
            "--text=" + model.resolve("heldout.jsonl"),
            "--master=local[2]");
    assertThat(evaluated.code()).as(evaluated.err()).isZero();
    double kl = new JsonMapper().readTree(evaluated.out()).at("/kl/mean").asDouble();
    assertThat(kl).isPositive().isLessThan(most(scheme, experts));
  }
}
