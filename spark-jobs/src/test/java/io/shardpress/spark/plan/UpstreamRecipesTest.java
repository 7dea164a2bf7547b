package io.shardpress.spark.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.job.PlannedCompression;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

/**
 * llm-compressor's own recipes, by what they say: the keys and values of the recipes of its tests
 * and of its examples at one commit, which the resource names. Each is planned on the sample model,
 * or refused with the reason that stands beside it.
 */
class UpstreamRecipesTest {
  private static final String RESOURCE = "/recipes/llm-compressor.yaml";

  /** A recipe of the resource. */
  record Upstream(String path, String recipe, String planned, String refused) {
    @Override
    public String toString() {
      return path;
    }
  }

  private static List<Upstream> read(String part) throws IOException {
    Map<?, ?> all;
    try (InputStream in = UpstreamRecipesTest.class.getResourceAsStream(RESOURCE)) {
      all = new Yaml().load(in);
    }
    List<Upstream> recipes = new ArrayList<>();
    for (Object one : (List<?>) all.get(part)) {
      Map<?, ?> fields = (Map<?, ?>) one;
      recipes.add(
          new Upstream(
              (String) fields.get("path"),
              new Yaml().dump(fields.get("recipe")),
              (String) fields.get("planned"),
              (String) fields.get("refused")));
    }
    return recipes;
  }

  static Stream<Upstream> recipes() throws IOException {
    return Stream.concat(read("tests").stream(), read("examples").stream());
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void isPlannedOrRefusedWithAReason(Upstream upstream) {
    if (upstream.refused() != null) {
      assertThatThrownBy(() -> plan(upstream))
          .isInstanceOfAny(UsageException.class, CheckpointException.class)
          .hasMessageContaining(upstream.refused())
          .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
      return;
    }
    CompressionPlan plan = plan(upstream);
    assertThat(summary(plan)).isEqualTo(upstream.planned());
    Recipe again = Recipe.parse("again", plan.recipe().toYaml());
    assertThat(again).isEqualTo(plan.recipe());
  }

  @Test
  void allRecipesOfItsTestsAreThere() throws IOException {
    assertThat(read("tests")).hasSize(34);
    assertThat(read("tests").stream().filter(one -> one.refused() == null).count()).isEqualTo(20);
  }

  /** All four pairs of AWQ on a model whose heads share v: what cannot be folded is said. */
  @Test
  void pairsThatTheBlockCannotFoldAreSaid() {
    String awq =
        "AWQModifier: {scheme: W4A16_ASYM, targets: [Linear], ignore: [lm_head], mappings:"
            + " [{smooth_layer: 're:.*input_layernorm$', balance_layers: ['re:.*q_proj$',"
            + " 're:.*k_proj$', 're:.*v_proj$']},{smooth_layer: 're:.*v_proj$', balance_layers:"
            + " ['re:.*o_proj$']},{smooth_layer: 're:.*post_attention_layernorm$', balance_layers:"
            + " ['re:.*gate_proj$', 're:.*up_proj$']},{smooth_layer: 're:.*up_proj$',"
            + " balance_layers: ['re:.*down_proj$']}]}";
    CompressionPlan plan = plan(new Upstream("awq.yaml", awq, null, null));
    assertThat(plan.warnings())
        .containsExactly(
            "AWQModifier.mappings: re:.*v_proj$ is left out: 8 heads share 4 of v_proj's");
    assertThatThrownBy(
            () ->
                plan(
                    new Upstream(
                        "awq.yaml",
                        awq.replace("'re:.*o_proj$'", "'re:.*down_proj$'"),
                        null,
                        null)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("mappings with re:.*v_proj$: ");
  }

  private static CompressionPlan plan(Upstream upstream) {
    Recipe recipe = Recipe.parse(upstream.path(), upstream.recipe());
    Checkpoint checkpoint = Checkpoint.open(SampleFiles.FOLDER.toString(), new Configuration());
    return PlannedCompression.of(checkpoint, recipe, OutputChoice.DEFAULT).plan();
  }

  /** How many linears become what, and what else is done; the sample has 6 blocks of 7 linears. */
  private static String summary(CompressionPlan plan) {
    assertThat(plan.scaleFormat()).isEqualTo(ScaleFormat.BF16);
    Map<String, Long> linears = new TreeMap<>();
    plan.quantized()
        .values()
        .forEach(
            entry ->
                linears.merge(
                    entry.choice().modifier().kind().algorithm()
                        + " "
                        + entry.choice().group().schemeName()
                        + " "
                        + entry.choice().group().weights().sharing()
                        + (entry.choice().group().weights().order().word() == null
                            ? ""
                            : " " + entry.choice().group().weights().order().word()),
                    1L,
                    Long::sum));
    List<String> words = new ArrayList<>();
    plan.recipe().transforms().forEach(one -> words.add(one.kind().algorithm()));
    linears.forEach((what, count) -> words.add(count + " " + what));
    plan.recipe().kvCache().ifPresent(cache -> words.add("cache " + cache.type()));
    return String.join(", ", words);
  }
}
