package io.shardpress.spark.learn.rounding;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.quant.Steps;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Steps come back as they were, whole and by rows, though they were added piece by piece. */
class KeptStepsTest {
  private static Steps steps(int rows, int groups, int seed) {
    Steps steps = new Steps(rows, groups);
    for (int i = 0; i < rows * groups; i++) {
      steps.scales()[i] = Float.intBitsToFloat(0x3F800000 + 77 * i + seed);
      steps.zeros()[i] = (i * 31 + seed) & 0xFF;
    }
    return steps;
  }

  @Test
  void comeBackAsTheyWere() throws IOException {
    // More than are held in memory.
    Steps first = steps(3, 50_001, 1);
    Steps second = steps(160, 7, 2);
    try (KeptSteps kept = new KeptSteps()) {
      assertThat(kept.has("a")).isFalse();
      kept.add("a", first);
      for (int row = 0; row < 160; row += 40) {
        int from = row * 7;
        int to = (row + 40) * 7;
        kept.add(
            "b",
            new Steps(
                40,
                7,
                Arrays.copyOfRange(second.scales(), from, to),
                Arrays.copyOfRange(second.zeros(), from, to)));
      }
      assertThat(kept.has("a")).isTrue();
      assertThat(kept.read("b", 0, 160, 7).scales()).isEqualTo(second.scales());
      assertThat(kept.read("b", 0, 160, 7).zeros()).isEqualTo(second.zeros());
      kept.add("c", first);
      Steps rows = kept.read("a", 1, 2, 50_001);
      assertThat(rows.out()).isEqualTo(2);
      assertThat(rows.scales()).isEqualTo(Arrays.copyOfRange(first.scales(), 50_001, 3 * 50_001));
      assertThat(rows.zeros()).isEqualTo(Arrays.copyOfRange(first.zeros(), 50_001, 3 * 50_001));
      assertThat(kept.read("c", 0, 3, 50_001).scales()).isEqualTo(first.scales());
    }
  }
}
