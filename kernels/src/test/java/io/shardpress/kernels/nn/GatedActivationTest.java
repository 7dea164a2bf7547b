package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.BlockTraits.Activation;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@OnVectors
class GatedActivationTest {
  // The last size is more than one tile.
  @ParameterizedTest
  @CsvSource({
    "1,SILU",
    "3,GELU_TANH",
    "207,SILU",
    "207,GELU_TANH",
    "16385,SILU",
    "16385,GELU_TANH"
  })
  void forwardAndGradient(int n, Activation f) {
    Random random = new Random(n);
    float[] gate = Arrays64.gaussian(random, n, 3);
    float[] up = Arrays64.gaussian(random, n, 1);
    float[] dy = Arrays64.gaussian(random, n, 1);
    double[] wideGate = Arrays64.of(gate);
    double[] wideUp = Arrays64.of(up);

    float[] y = new float[n];
    GatedActivation.forward(f, n, gate, up, y, Workers.single());
    Difference.assertWithin("y", y, Oracle.gated(f, wideGate, wideUp), 1e-5);

    float[] dgate = new float[n];
    float[] dup = new float[n];
    GatedActivation.backward(f, n, gate, up, dy, dgate, dup, Workers.single());
    DoubleSupplier loss = () -> Arrays64.dot(Oracle.gated(f, wideGate, wideUp), dy);
    NumericGradient.check("gate", loss, wideGate, dgate, 200, 1e-4);
    NumericGradient.check("up", loss, wideUp, dup, 200, 1e-4);
  }

  @SuppressWarnings("FloatingPointLiteralPrecision") // powers of ten; which float is no matter
  @ParameterizedTest
  @EnumSource(Activation.class)
  void farGatesAreOpenOrShut(Activation f) {
    float[] gate = {-1e15f, -1000, 1000, 1e15f};
    float[] up = {1, 2, 3, 4};
    float[] y = new float[4];
    GatedActivation.forward(f, 4, gate, up, y, Workers.single());
    assertThat(y[1]).isBetween(-1e-30f, 0f);
    assertThat(y[2]).isEqualTo(3000);
    assertThat(y[3]).isEqualTo(4e15f);
    float[] dgate = new float[4];
    float[] dup = new float[4];
    GatedActivation.backward(
        f, 4, gate, up, new float[] {1, 1, 1, 1}, dgate, dup, Workers.single());
    // Gelu's slope has the cube of x.
    float nothing = f == Activation.SILU ? 1e-30f : 1e-28f;
    assertThat(dgate[1]).isBetween(-nothing, nothing);
    assertThat(dgate[2]).isEqualTo(3);
    assertThat(dup[2]).isEqualTo(1000);
  }
}
