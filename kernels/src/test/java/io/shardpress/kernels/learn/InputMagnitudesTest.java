package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InputMagnitudesTest {
  private static final int IN = 700;
  private static final int ROWS = 60;

  @Test
  void meanAndMaximumHoweverTheRowsAreCut() {
    float[] x = Arrays64.gaussian(new Random(1), ROWS * IN, 2);
    InputMagnitudes first = null;
    for (int batch : new int[] {60, 7, 1}) {
      try (Workers workers = Workers.of(batch % 3 + 1)) {
        InputMagnitudes found = new InputMagnitudes(IN);
        for (int row = 0; row < ROWS; row += batch) {
          int rows = Math.min(batch, ROWS - row);
          found.observe(Arrays.copyOfRange(x, row * IN, (row + rows) * IN), rows, workers);
        }
        first = first == null ? found : first;
        assertThat(found.tokens()).isEqualTo(ROWS);
        assertThat(found.sums()).isEqualTo(first.sums());
        assertThat(found.absMax()).isEqualTo(first.absMax());
      }
    }
    for (int i = 0; i < IN; i++) {
      double sum = 0;
      double largest = 0;
      for (int row = 0; row < ROWS; row++) {
        sum += Math.abs((double) x[row * IN + i]);
        largest = Math.max(largest, Math.abs(x[row * IN + i]));
      }
      assertThat((double) first.meanAbs()[i]).isCloseTo(sum / ROWS, within(1e-6));
      assertThat((double) first.absMax()[i]).isEqualTo(largest);
    }
  }

  @Test
  void partitionsMerge() {
    Workers one = Workers.single();
    InputMagnitudes a = new InputMagnitudes(2);
    a.observe(new float[] {1, -5, 3, 0}, 2, one);
    InputMagnitudes b = new InputMagnitudes(2);
    b.observe(new float[] {-4, 2}, 1, one);
    InputMagnitudes stored = new InputMagnitudes(a.tokens(), a.absMax(), a.sums());
    stored.merge(b);
    stored.merge(new InputMagnitudes(2));
    assertThat(stored.tokens()).isEqualTo(3);
    assertThat(stored.absMax()).containsExactly(4, 5);
    assertThat(stored.sums()).containsExactly(8, 7);
    assertThat(new InputMagnitudes(2).meanAbs()).containsExactly(0, 0);
  }

  @Test
  void brokenActivationsAreNamed() {
    for (float broken : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      InputMagnitudes found = new InputMagnitudes(3);
      assertThatThrownBy(() -> found.observe(new float[] {1, 2, broken}, 1, Workers.single()))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("input channel 2 of 3");
    }
  }
}
