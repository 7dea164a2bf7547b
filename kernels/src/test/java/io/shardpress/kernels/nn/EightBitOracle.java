package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.Arrays64;
import java.util.function.DoubleUnaryOperator;

/** Eight-bit rounding in f64, by the definitions. */
final class EightBitOracle {
  private EightBitOracle() {}

  static float absMax(float[] x) {
    return (float) absMax(Arrays64.of(x), 0, x.length);
  }

  static double absMax(double[] x, int from, int length) {
    double absMax = 0;
    for (int i = from; i < from + length; i++) {
      absMax = Math.max(absMax, Math.abs(x[i]));
    }
    return absMax;
  }

  static double[] each(double[] values, DoubleUnaryOperator round) {
    double[] rounded = new double[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = round.applyAsDouble(values[i]);
    }
    return rounded;
  }

  static double[] rowsAsymmetric(double[] values, int rows) {
    double[] rounded = new double[values.length];
    int width = values.length / rows;
    for (int row = 0; row < rows; row++) {
      double low = 0;
      double high = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        low = Math.min(low, values[i]);
        high = Math.max(high, values[i]);
      }
      double scale = (high - low) / 255;
      for (int i = row * width; i < (row + 1) * width; i++) {
        rounded[i] = integer(values[i], scale, Math.rint(-low / scale));
      }
    }
    return rounded;
  }

  static double integer(double x, double scale, double zero) {
    return scale * (Math.min(Math.max(Math.rint(x / scale) + zero, 0), 255) - zero);
  }

  /** The nearest multiple of the spacing that the power of two below x has. */
  static double e4m3(double x) {
    double power = Math.pow(2, Math.max(-6, Math.floor(Math.log(Math.abs(x)) / Math.log(2))));
    double rounded = Math.rint(x / (power / 8)) * (power / 8);
    return Math.min(Math.max(rounded, -448), 448);
  }
}
