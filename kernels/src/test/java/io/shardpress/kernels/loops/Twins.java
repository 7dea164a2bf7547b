package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.kernels.matmul.VectorWidth;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** The oracle, and the vector loops of this process's width. */
record Twins<L>(L scalar, L vector) {
  /** Leaves the test out where the processor has no vectors of the width that is asked for. */
  static <L> Twins<L> of(Supplier<L> scalar, Supplier<L> vector) {
    assumeTrue(vectorsAreThere(), "no vectors of that width");
    return new Twins<>(scalar.get(), vector.get());
  }

  private static boolean vectorsAreThere() {
    try {
      return VectorWidth.chosen() != 0;
    } catch (UnsupportedOperationException e) {
      return false;
    }
  }

  /** Runs a loop over copies of x with both; it must leave the same bits. */
  void compare(float[] x, BiConsumer<L, float[]> loop) {
    float[] wanted = x.clone();
    float[] found = x.clone();
    loop.accept(scalar, wanted);
    loop.accept(vector, found);
    assertThat(found).containsExactly(wanted);
  }
}
