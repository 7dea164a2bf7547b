package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.metrics.PositionFigures;
import java.util.List;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  /** Three windows of two positions in two tasks; all figures by hand. */
  @Test
  void sumsUpWindowsAcrossTasks() {
    PositionFigures first =
        new PositionFigures(
            new double[] {0.5, 0.1, 0.2, 0.3},
            new double[] {1, 2, 3, 4},
            new double[] {1, 3, 3, 6},
            new boolean[] {true, false, true, true});
    PositionFigures second =
        new PositionFigures(
            new double[] {0, 0.4},
            new double[] {2, 0},
            new double[] {4, 4},
            new boolean[] {false, true});
    Evaluation evaluation = Evaluation.of(List.of(first, second), 2);
    assertThat(evaluation.windows()).isEqualTo(3);
    assertThat(evaluation.tokens()).isEqualTo(6);
    assertThat(evaluation.originalNll()).isCloseTo(2, within(1e-15));
    assertThat(evaluation.compressedNll()).isCloseTo(3.5, within(1e-15));
    // Windows differ by 0.5, 1 and 3: mean 1.5, variance 1.75.
    assertThat(evaluation.difference()).isCloseTo(1.5, within(1e-15));
    assertThat(evaluation.standardError()).isCloseTo(Math.sqrt(1.75 / 3), within(1e-15));
    assertThat(evaluation.kl().mean()).isCloseTo(0.25, within(1e-15));
    assertThat(evaluation.kl().median()).isCloseTo(0.25, within(1e-15));
    assertThat(evaluation.kl().p99()).isCloseTo(0.495, within(1e-15));
    assertThat(evaluation.kl().max()).isEqualTo(0.5);
    assertThat(evaluation.agreement()).isCloseTo(4 / 6.0, within(1e-15));
    assertThat(evaluation.compressedPerplexity()).isCloseTo(Math.exp(3.5), within(1e-12));
  }
}
