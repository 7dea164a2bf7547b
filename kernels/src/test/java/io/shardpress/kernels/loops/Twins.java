package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.kernels.matmul.VectorWidth;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** The oracle, and the vector loops of this process's width. */
record Twins<L>(L scalar, L vector) {
  /** Leaves the tests out where this process has no vectors. */
  static <L> Twins<L> of(Supplier<L> scalar, Supplier<L> vector) {
    assumeTrue(VectorWidth.chosen() != 0, "this process has no vectors");
    return new Twins<>(scalar.get(), vector.get());
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
