package io.shardpress.spark.fidelity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.evaluate.Evaluation;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FidelityTableTest {
  private static Cell cell(double... windowKl) {
    double mean = Arrays.stream(windowKl).average().orElseThrow();
    Evaluation.Divergence kl = new Evaluation.Divergence(mean, mean, mean, mean);
    return new Cell(new Evaluation(windowKl.length, 10, 1, 1, 0, 0, kl, 0.5, windowKl), 2, 1, 3e9);
  }

  /** Differences 1, 1, 2, 2: mean 1.5, deviation 0.577, standard error 0.289. */
  @Test
  void pairedErrorsTellACellFromAnother() {
    Cell low = cell(1, 5, 2, 9);
    Cell.Difference difference = cell(2, 6, 4, 11).above(low);
    assertThat(difference.mean()).isCloseTo(1.5, within(1e-12));
    assertThat(difference.standardError()).isCloseTo(0.2887, within(1e-4));
    assertThat(difference.sure()).isTrue();
    assertThat(low.above(cell(2, 6, 4, 11)).sure()).isFalse();
  }

  /** Differences 4, −2, 3, −1: mean 1, standard error 1.47. */
  @Test
  void aMeanWithinItsErrorTellsNothing() {
    assertThat(cell(5, 3, 5, 8).above(cell(1, 5, 2, 9)).sure()).isFalse();
  }

  /** easyquant is not surely above gptq: differences 1, −0.5, 0.5 have mean 0.33 and error 0.44. */
  @Test
  void theTableMarksTheLeastOfAColumnAndWhatMayBeAsLow() throws IOException {
    FidelityTable table = new FidelityTable(List.of("W4", "W3"));
    table.put("rtn", "W4", cell(2, 2, 2));
    table.put("easyquant", "W4", cell(2, 0.5, 1.5));
    table.put("gptq", "W4", cell(1, 1, 1));
    table.put("gptq", "W3", cell(7, 7, 7));
    assertThat(table.markdown())
        .isEqualTo(
            """
            | learner | W4 | W3 |
            |---|---|---|
            | rtn | 2.00, 2.72, 50.0 %, 1 s, 3.0e+09 |  |
            | easyquant | **1.33**, 2.72, 50.0 %, 1 s, 3.0e+09 |  |
            | gptq | **1.00**, 2.72, 50.0 %, 1 s, 3.0e+09 | **7.00**, 2.72, 50.0 %, 1 s, 3.0e+09 |
            """);
    JsonNode json = new ObjectMapper().readTree(table.json());
    assertThat(json.at("/gptq/W4/kl").asDouble()).isEqualTo(1);
    assertThat(json.at("/gptq/W4/kl_above_best").asDouble()).isZero();
    assertThat(json.at("/rtn/W4/kl_above_best").asDouble()).isEqualTo(1);
    assertThat(json.at("/easyquant/W4/standard_error_of_that").asDouble())
        .isCloseTo(0.4410, within(1e-4));
  }

  /** Every row at every column is a recipe that can be read. */
  @Test
  void recipesAreRead() {
    Rows.columns()
        .values()
        .forEach(
            scheme ->
                Rows.recipes(16)
                    .forEach(
                        (row, recipe) ->
                            assertThat(
                                    Recipe.parse(row, recipe.replace("SCHEME", scheme)).modifiers())
                                .isNotEmpty()));
  }
}
