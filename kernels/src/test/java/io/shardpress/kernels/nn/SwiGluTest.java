package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SwiGluTest {
  // The last size is more than one tile.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 207, 16_385})
  void forwardAndGradient(int n) {
    Random random = new Random(n);
    float[] gate = Arrays64.gaussian(random, n, 3);
    float[] up = Arrays64.gaussian(random, n, 1);
    float[] dy = Arrays64.gaussian(random, n, 1);
    double[] wideGate = Arrays64.of(gate);
    double[] wideUp = Arrays64.of(up);

    float[] y = new float[n];
    SwiGlu.forward(n, gate, up, y, Workers.single());
    Difference.assertWithin("y", y, Oracle.swiGlu(wideGate, wideUp), 1e-5);

    float[] dgate = new float[n];
    float[] dup = new float[n];
    SwiGlu.backward(n, gate, up, dy, dgate, dup, Workers.single());
    DoubleSupplier loss = () -> Arrays64.dot(Oracle.swiGlu(wideGate, wideUp), dy);
    NumericGradient.check("gate", loss, wideGate, dgate, 200, 1e-4);
    NumericGradient.check("up", loss, wideUp, dup, 200, 1e-4);
  }

  @Test
  void farGatesAreOpenOrShut() {
    float[] gate = {-1e30f, -1000, 1000, 1e30f};
    float[] up = {1, 2, 3, 4};
    float[] y = new float[4];
    SwiGlu.forward(4, gate, up, y, Workers.single());
    assertThat(y[1]).isBetween(-1e-30f, 0f);
    assertThat(y[2]).isEqualTo(3000);
    assertThat(y[3]).isEqualTo(4e30f);
    float[] dgate = new float[4];
    float[] dup = new float[4];
    SwiGlu.backward(4, gate, up, new float[] {1, 1, 1, 1}, dgate, dup, Workers.single());
    assertThat(dgate[1]).isBetween(-1e-30f, 1e-30f);
    assertThat(dgate[2]).isEqualTo(3);
    assertThat(dup[2]).isEqualTo(1000);
  }
}
