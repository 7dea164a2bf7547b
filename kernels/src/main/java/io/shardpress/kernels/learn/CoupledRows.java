package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Linears that read the same input, or some rows of each, stacked into one: what coupled descent
 * changes. Bits, symmetry and lengths of groups may differ from linear to linear.
 */
final class CoupledRows {
  final int rows;
  final int in;
  final byte[] codes;
  final float[] target;
  // The largest code of each row.
  final float[] largest;
  // Elements of a group in each row.
  final int[] length;
  private final List<QuantizedLinear> starts;
  // Of each row its scales, which change, and its zeros.
  private final float[][] scales;
  private final int[][] zeros;

  /**
   * @param starts not changed
   * @param targets [out×in] of each
   */
  CoupledRows(List<QuantizedLinear> starts, List<float[]> targets) {
    this.starts = starts;
    in = starts.get(0).in();
    rows = starts.stream().mapToInt(QuantizedLinear::out).sum();
    codes = new byte[Math.multiplyExact(rows, in)];
    target = new float[codes.length];
    largest = new float[rows];
    length = new int[rows];
    scales = new float[rows][];
    zeros = new int[rows][];
    int first = 0;
    for (int l = 0; l < starts.size(); l++) {
      QuantizedLinear linear = starts.get(l);
      if (linear.scheme().floating()) {
        throw new IllegalArgumentException(
            "coupled descent over " + linear.scheme().name() + ": it has integers alone");
      }
      Steps steps = linear.steps();
      int elements = linear.out() * in;
      if (linear.in() != in || targets.get(l).length < elements) {
        throw new IllegalArgumentException(
            "linear "
                + l
                + " is "
                + linear.out()
                + "×"
                + linear.in()
                + " with a target of "
                + targets.get(l).length
                + " elements; want "
                + in
                + " inputs, as the first has, and as many elements as the linear");
      }
      System.arraycopy(linear.codes(), 0, codes, first * in, elements);
      System.arraycopy(targets.get(l), 0, target, first * in, elements);
      int groups = steps.groups();
      for (int row = 0; row < linear.out(); row++) {
        largest[first + row] = Grid.of(linear.scheme()).largest();
        length[first + row] = linear.groupLength();
        scales[first + row] = Arrays.copyOfRange(steps.scales(), row * groups, (row + 1) * groups);
        zeros[first + row] = Arrays.copyOfRange(steps.zeros(), row * groups, (row + 1) * groups);
      }
      first += linear.out();
    }
  }

  float scale(int row, int column) {
    return scales[row][column / length[row]];
  }

  void scale(int row, int column, float scale) {
    scales[row][column / length[row]] = scale;
  }

  int zero(int row, int column) {
    return zeros[row][column / length[row]];
  }

  /** E = s∘(c − z) − T of some rows, into [rows × in] from {@code at} on. */
  void errors(int row, float[] into, int at) {
    for (int from = 0; from < in; from += length[row]) {
      float scale = scale(row, from);
      int zero = zero(row, from);
      for (int j = from; j < from + length[row]; j++) {
        int i = row * in + j;
        into[at + j] = scale * ((codes[i] & 0xFF) - zero) - target[i];
      }
    }
  }

  /** The different lengths of groups, ascending. */
  int[] lengths() {
    return Arrays.stream(length).distinct().sorted().toArray();
  }

  /** The linears with what has become of them, codes and scales in new arrays. */
  List<QuantizedLinear> linears() {
    List<QuantizedLinear> linears = new ArrayList<>();
    int first = 0;
    for (QuantizedLinear start : starts) {
      int out = start.out();
      int groups = start.steps().groups();
      Steps steps = new Steps(out, groups, new float[out * groups], start.steps().zeros().clone());
      for (int row = 0; row < out; row++) {
        System.arraycopy(scales[first + row], 0, steps.scales(), row * groups, groups);
      }
      byte[] its = Arrays.copyOfRange(codes, first * in, (first + out) * in);
      linears.add(new QuantizedLinear(out, in, start.scheme(), its, steps));
      first += out;
    }
    return linears;
  }
}
