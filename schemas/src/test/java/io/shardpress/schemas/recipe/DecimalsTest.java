package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecimalsTest {
  @ParameterizedTest
  @CsvSource({
    "0,0.0",
    "1,1.0",
    "1e-3,0.001",
    "9e-4,0.0009",
    "1e-7,0.0000001",
    "2e22,20000000000000000000000.0"
  })
  void shortestPlainText(double value, String text) {
    assertThat(Decimals.text(value)).isEqualTo(text);
  }

  @Test
  void readsBackAsTheSameBits() {
    Random random = new Random(3);
    for (int i = 0; i < 2000; i++) {
      double value = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(value)) {
        assertThat(Double.parseDouble(Decimals.text(value))).isEqualTo(value);
      }
    }
  }
}
