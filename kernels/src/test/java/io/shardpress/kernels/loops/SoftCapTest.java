package io.shardpress.kernels.loops;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

@OnVectors
class SoftCapTest {
  @Test
  void capsAreByTheirFormula() {
    float[] x = Arrays64.gaussian(new Random(9), 1000, 60);
    double[] wanted = new double[x.length];
    double[] slope = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wanted[i] = 50 * Math.tanh(x[i] / 50.0);
      slope[i] = 1 - Math.pow(Math.tanh(x[i] / 50.0), 2);
    }
    float[] dx = new float[x.length];
    Arrays.fill(dx, 1);
    TanhLoops.chosen().softCap(x, 0, x.length, 50);
    Difference.assertWithin("capped", x, wanted, 1e-6);
    TanhLoops.chosen().softCapGradient(x, 0, dx, 0, x.length, 50);
    Difference.assertWithin("slope", dx, slope, 1e-6);
  }
}
