package io.shardpress.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NearestTest {
  /** The distance by its recursive definition, on short strings. */
  private static int oracle(String a, String b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.length() + b.length();
    }
    String restA = a.substring(1);
    String restB = b.substring(1);
    if (a.charAt(0) == b.charAt(0)) {
      return oracle(restA, restB);
    }
    return 1 + Math.min(oracle(restA, restB), Math.min(oracle(restA, b), oracle(a, restB)));
  }

  @Test
  void distanceIsLevenshteins() {
    Random random = new Random(7);
    for (int i = 0; i < 2000; i++) {
      String a = word(random);
      String b = word(random);
      assertThat(Nearest.distance(a, b)).as("%s %s", a, b).isEqualTo(oracle(a, b));
    }
  }

  private static String word(Random random) {
    StringBuilder word = new StringBuilder();
    for (int n = random.nextInt(6); n > 0; n--) {
      word.append((char) ('a' + random.nextInt(3)));
    }
    return word.toString();
  }

  @Test
  void textThatIsNoSlipOfAFingerCostsNothing() {
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    String typed = "iterations" + "x".repeat(1_000_000);
    long before = memory.getCurrentThreadAllocatedBytes();
    assertThat(Nearest.to(typed, List.of("rank", "iterations"))).isEqualTo("iterations");
    assertThat(memory.getCurrentThreadAllocatedBytes() - before).isLessThan(typed.length());
  }
}
