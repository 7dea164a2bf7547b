package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import java.util.List;

/** Coupled descent in f64 by its formulas, every slope computed anew: no products, no updates. */
final class CoupledOracle {
  private final int rows;
  private final int in;
  private final double[] a;
  private final double[] h;
  private final double[] target;
  private final double[] codes;
  private final double[] scales;
  private final double[] zeros;
  private final int[] largest;
  private final int[] length;
  private final double[] m;

  CoupledOracle(List<QuantizedLinear> starts, List<float[]> targets, float[] a, float[] h) {
    in = starts.get(0).in();
    rows = starts.stream().mapToInt(QuantizedLinear::out).sum();
    this.a = Arrays64.of(a);
    this.h = Arrays64.of(h);
    target = new double[rows * in];
    codes = new double[rows * in];
    scales = new double[rows * in];
    zeros = new double[rows * in];
    largest = new int[rows];
    length = new int[rows];
    m = new double[rows * in];
    int at = 0;
    for (int l = 0; l < starts.size(); l++) {
      QuantizedLinear linear = starts.get(l);
      for (int i = 0; i < linear.out() * in; i++, at++) {
        int group = i / linear.groupLength();
        target[at] = targets.get(l)[i];
        codes[at] = linear.codes()[i] & 0xFF;
        scales[at] = linear.steps().scales()[group];
        zeros[at] = linear.steps().zeros()[group];
        largest[at / in] = Grid.of(linear.scheme()).largest();
        length[at / in] = linear.groupLength();
      }
    }
    restart();
  }

  private double error(int i) {
    return scales[i] * (codes[i] - zeros[i]) - target[i];
  }

  private void restart() {
    java.util.Arrays.fill(m, 0);
    for (int i = 0; i < rows * in; i++) {
      double e = error(i);
      for (int j = 0; e != 0 && j < in; j++) {
        m[i / in * in + j] += e * h[i % in * in + j];
      }
    }
  }

  double slope(int row, int column) {
    double sum = 0;
    for (int u = 0; u < rows; u++) {
      sum += a[row * rows + u] * m[u * in + column];
    }
    return sum;
  }

  double objective() {
    restart();
    double sum = 0;
    for (int i = 0; i < rows * in; i++) {
      sum += error(i) * slope(i / in, i % in);
    }
    return sum;
  }

  void improve(ScaleFormat format, int rounds, int sweeps) {
    for (int round = 0; round < rounds; round++) {
      for (int one : java.util.Arrays.stream(length).distinct().sorted().toArray()) {
        for (int from = 0; from < in; from += one) {
          for (int pass = 0; pass < 2; pass++) {
            for (int row = 0; row < rows; row++) {
              if (length[row] == one) {
                refit(row, from, format);
              }
            }
          }
        }
      }
      for (int sweep = 0; sweep < sweeps; sweep++) {
        sweep();
      }
    }
  }

  private void refit(int row, int from, ScaleFormat format) {
    int to = from + length[row];
    double num = 0;
    double[] vh = new double[in];
    for (int j = from; j < to; j++) {
      double v = codes[row * in + j] - zeros[row * in + j];
      num += v * slope(row, j);
      for (int k = 0; k < in; k++) {
        vh[k] += v * h[j * in + k];
      }
    }
    double den = 0;
    for (int j = from; j < to; j++) {
      den += (codes[row * in + j] - zeros[row * in + j]) * vh[j];
    }
    den *= a[row * rows + row];
    if (!(den > 0)) {
      return;
    }
    double scale = scales[row * in + from];
    double stored = format.usable((float) (scale - num / den));
    double change = stored - scale;
    if (stored > scale / 2 && stored < 2 * scale && change * (change * den + 2 * num) < 0) {
      for (int j = from; j < to; j++) {
        scales[row * in + j] = stored;
      }
      for (int k = 0; k < in; k++) {
        m[row * in + k] += change * vh[k];
      }
    }
  }

  void sweepOnce() {
    sweep();
  }

  private void sweep() {
    for (int begin = 0; begin < in; begin += CoupledTile.COLUMNS) {
      for (int first = 0; first < rows; first += CoupledTile.ROWS) {
        for (int j = begin; j < Math.min(in, begin + CoupledTile.COLUMNS); j++) {
          for (int row = first; row < Math.min(rows, first + CoupledTile.ROWS); row++) {
            move(row, j);
          }
        }
      }
    }
  }

  private void move(int row, int column) {
    int i = row * in + column;
    double r = slope(row, column);
    double curvature = a[row * rows + row] * h[column * in + column];
    if (!(curvature > 0)) {
      return;
    }
    double place = codes[i] - r / (curvature * scales[i]);
    double code = Math.rint(Math.min(Math.max(place, 0), largest[row]));
    double change = scales[i] * (code - codes[i]);
    if (change * r + 0.5 * change * change * curvature < 0) {
      codes[i] = code;
      for (int k = 0; k < in; k++) {
        m[row * in + k] += change * h[column * in + k];
      }
    }
  }

  /** The code of a weight of the stack. */
  int code(int row, int column) {
    return (int) codes[row * in + column];
  }

  /** E·H of a weight, after {@link #objective}. */
  double errorTimesH(int row, int column) {
    return m[row * in + column];
  }
}
