package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import java.util.ArrayList;
import java.util.List;

/**
 * The linears of a stage by tiles of their rows: takes a tile's rows out, as linears of fewer rows,
 * some perhaps of none, and puts them back.
 */
public final class TiledLinears {
  private TiledLinears() {}

  /** The rows that a tile has of each linear, in new arrays. */
  public static List<QuantizedLinear> take(
      RowTiling tiling, int tile, List<QuantizedLinear> linears) {
    List<QuantizedLinear> some = new ArrayList<>();
    for (int l = 0; l < linears.size(); l++) {
      QuantizedLinear linear = linears.get(l);
      int[] rows = tiling.rowsOf(tile, l);
      int in = linear.in();
      int groups = linear.steps().groups();
      byte[] codes = new byte[rows.length * in];
      Steps steps = new Steps(rows.length, groups);
      for (int i = 0; i < rows.length; i++) {
        copy(linear.codes(), rows[i], codes, i, in);
        copy(linear.steps().scales(), rows[i], steps.scales(), i, groups);
        copy(linear.steps().zeros(), rows[i], steps.zeros(), i, groups);
      }
      some.add(new QuantizedLinear(rows.length, in, linear.scheme(), codes, steps));
    }
    return some;
  }

  /** Likewise of matrices [out×in], such as targets. */
  public static List<float[]> take(RowTiling tiling, int tile, List<float[]> matrices, int in) {
    List<float[]> some = new ArrayList<>();
    for (int l = 0; l < matrices.size(); l++) {
      int[] rows = tiling.rowsOf(tile, l);
      float[] taken = new float[rows.length * in];
      for (int i = 0; i < rows.length; i++) {
        copy(matrices.get(l), rows[i], taken, i, in);
      }
      some.add(taken);
    }
    return some;
  }

  /** Writes codes and scales of a tile's rows into {@code linears}; zeros stay. */
  public static void put(
      RowTiling tiling, int tile, List<QuantizedLinear> some, List<QuantizedLinear> linears) {
    for (int l = 0; l < linears.size(); l++) {
      QuantizedLinear from = some.get(l);
      QuantizedLinear into = linears.get(l);
      int[] rows = tiling.rowsOf(tile, l);
      int groups = into.steps().groups();
      for (int i = 0; i < rows.length; i++) {
        copy(from.codes(), i, into.codes(), rows[i], into.in());
        copy(from.steps().scales(), i, into.steps().scales(), rows[i], groups);
      }
    }
  }

  /** Likewise of matrices [out×in]. */
  public static void put(
      RowTiling tiling, int tile, List<float[]> some, List<float[]> matrices, int in) {
    for (int l = 0; l < matrices.size(); l++) {
      int[] rows = tiling.rowsOf(tile, l);
      for (int i = 0; i < rows.length; i++) {
        copy(some.get(l), i, matrices.get(l), rows[i], in);
      }
    }
  }

  /** A linear with codes and scales of its own. */
  static QuantizedLinear copy(QuantizedLinear linear) {
    Steps steps = linear.steps();
    return new QuantizedLinear(
        linear.out(),
        linear.in(),
        linear.scheme(),
        linear.codes().clone(),
        new Steps(steps.out(), steps.groups(), steps.scales().clone(), steps.zeros()));
  }

  private static void copy(Object from, int row, Object into, int at, int length) {
    System.arraycopy(from, row * length, into, at * length, length);
  }
}
