package io.shardpress.spark.learn.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class EstimateTest {
  private static ModelConfig sample() throws IOException {
    Path file = Path.of("../samples/sample-llama/config.json");
    return ModelConfig.parse(file.toString(), Files.readAllBytes(file));
  }

  private static Modifier modifier(String algorithm) {
    return Recipe.of(algorithm, "W4A16", OptionalInt.empty(), List.of(), List.of(), 0)
        .modifiers()
        .get(0);
  }

  /** The sample's block by hand: q, o 256×256, k, v 128×256, gate, up 512×256, down 256×512. */
  @Test
  void gptqOfTheSampleByHand() throws IOException {
    double tokens = 404 * 256;
    double weights = 2 * 65536 + 2 * 32768 + 3 * 131072;
    double forward = tokens * (2 * weights + 2 * 256 * 256);
    double statistics = 3 * tokens * (3 * 65536 + 262144) + 4 * (3 * 16777216.0 + 134217728);
    double solving = 3 * ((weights - 131072) * 256 + 131072 * 512.0);
    assertThat(Estimate.of(sample(), modifier("gptq"), 404, 256).flops())
        .isCloseTo(6 * (2 * forward + statistics + solving), within(1e6));
  }

  @Test
  void lrqCostsGptqAndItsSteps() throws IOException {
    Estimate gptq = Estimate.of(sample(), modifier("gptq"), 404, 256);
    Estimate lrq = Estimate.of(sample(), modifier("lrq"), 404, 256);
    double weights = 2 * 65536 + 2 * 32768 + 3 * 131072;
    // 500 steps, and 100 on the scales.
    double steps = 6 * 600 * 6.0 * 2 * 256 * weights;
    assertThat(lrq.flops()).isGreaterThan(gptq.flops() + steps);
    assertThat(lrq.flops()).isLessThan(gptq.flops() + 1.6 * steps);
  }

  @Test
  void stepsOnScalesCostTheirPassesAndOneMore() throws IOException {
    Modifier stepping =
        Recipe.parse("steps", "GPTQModifier: {scheme: W4A16, scale_iterations: 30, batch_size: 8}")
            .modifiers()
            .get(0);
    double weights = 2 * 65536 + 2 * 32768 + 3 * 131072;
    double token = 2 * weights + 2 * 256 * 256;
    double steps = 30 * 8 * 256 * 3 * token;
    assertThat(Estimate.of(sample(), stepping, 404, 256).flops())
        .isCloseTo(
            Estimate.of(sample(), modifier("gptq"), 404, 256).flops()
                + 6 * (steps + 404 * 256 * token),
            within(1e6));
  }

  @Test
  void memoryDoesNotGrowWithDepthOrText() throws IOException {
    ModelConfig config = sample();
    long bytes = Estimate.of(config, modifier("gptq"), 4096, 256).taskBytes();
    assertThat(Estimate.of(config, modifier("gptq"), 65536, 256).taskBytes()).isEqualTo(bytes);
  }
}
