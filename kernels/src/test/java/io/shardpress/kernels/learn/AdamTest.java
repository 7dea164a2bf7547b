package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnVectors
class AdamTest {
  /** Algorithm 1 of the paper in f64, gradients from tiny to large. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 207, 16_385})
  void followsThePaper(int n) {
    Random random = new Random(n);
    float[] start = Arrays64.gaussian(random, n, 1);
    float[] parameters = start.clone();
    double[] wanted = Arrays64.of(start);
    double[] m = new double[n];
    double[] v = new double[n];
    Adam adam = new Adam(n);
    try (Workers workers = Workers.of(2)) {
      for (int t = 1; t <= 40; t++) {
        double rate = 1e-2 / t;
        float[] g = Arrays64.gaussian(random, n, 1);
        for (int i = 0; i < n; i++) {
          g[i] *= (float) Math.pow(10, i % 12 - 9);
          m[i] = 0.9 * m[i] + 0.1 * g[i];
          v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
          double mean = m[i] / (1 - Math.pow(0.9, t));
          double variance = v[i] / (1 - Math.pow(0.999, t));
          wanted[i] -= rate * mean / (Math.sqrt(variance) + 1e-8);
        }
        adam.update(parameters, g, t, rate, workers);
      }
    }
    float[] moved = new float[n];
    double[] wantedMove = new double[n];
    for (int i = 0; i < n; i++) {
      moved[i] = parameters[i] - start[i];
      wantedMove[i] = wanted[i] - start[i];
    }
    Difference.assertWithin("moved", moved, wantedMove, 1e-3);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5})
  void noGradientNoMove(int n) {
    float[] parameters = Arrays64.gaussian(new Random(1), n, 1);
    float[] before = parameters.clone();
    new Adam(n).update(parameters, new float[n], 1, 0.1, Workers.single());
    assertThat(parameters).isEqualTo(before);
  }
}
