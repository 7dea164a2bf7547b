package io.shardpress.kernels.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SeededRandomTest {
  /** No two tensors, blocks or seeds share any of their first numbers. */
  @Test
  void streamsAreDistinct() {
    Set<Long> seen = new HashSet<>();
    int drawn = 0;
    for (long seed : new long[] {0, 1, 2, -1, 1L << 32, Long.MAX_VALUE}) {
      for (int block = 0; block < 130; block++) {
        for (String name : List.of("", "a", "b", "ab", "ba", "q", "k", "self_attn.q_proj")) {
          SeededRandom random = new SeededRandom(seed, block, name);
          for (int i = 0; i < 10; i++) {
            seen.add(random.nextLong());
            drawn++;
          }
        }
      }
    }
    assertThat(seen).hasSize(drawn);
  }

  @Test
  void sameSeedsGiveTheSameNumbers() {
    SeededRandom one = new SeededRandom(7, 3, "mlp.up_proj");
    SeededRandom other = new SeededRandom(7, 3, "mlp.up_proj");
    for (int i = 0; i < 1000; i++) {
      assertThat(one.nextLong()).isEqualTo(other.nextLong());
    }
  }

  @Test
  void floatsFillTheirRangeEvenly() {
    SeededRandom random = new SeededRandom(0, 0, "x");
    float limit = 0.3f;
    int n = 200_000;
    double sum = 0;
    double squares = 0;
    int[] tenths = new int[10];
    for (int i = 0; i < n; i++) {
      float x = random.nextFloat(limit);
      assertThat(x).isGreaterThanOrEqualTo(-limit).isLessThan(limit);
      sum += x;
      squares += (double) x * x;
      tenths[(int) ((x / limit + 1) * 5)]++;
    }
    // Five standard deviations of each estimate.
    assertThat(sum / n).isCloseTo(0, within(5 * limit / Math.sqrt(3.0 * n)));
    assertThat(squares / n).isCloseTo(limit * limit / 3.0, within(0.002 * limit * limit));
    for (int tenth : tenths) {
      assertThat((double) tenth).isCloseTo(n / 10.0, within(5 * Math.sqrt(n * 0.09)));
    }
  }

  @Test
  void intsFillTheirRangeEvenly() {
    SeededRandom random = new SeededRandom(1, 2, "y");
    for (int bound : new int[] {1, 2, 7, 1000, Integer.MAX_VALUE}) {
      int n = 70_000;
      double sum = 0;
      boolean[] found = new boolean[Math.min(bound, 1000)];
      for (int i = 0; i < n; i++) {
        int x = random.nextInt(bound);
        assertThat(x).isBetween(0, bound - 1);
        sum += x;
        found[x % found.length] = true;
      }
      assertThat(sum / n)
          .isCloseTo((bound - 1) / 2.0, within(5 * bound / Math.sqrt(12.0 * n) + 1e-9));
      assertThat(found).doesNotContain(false);
    }
  }
}
