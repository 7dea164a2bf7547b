package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/** Loops of descent over rows that see one another, to which applies what {@link Loops} says. */
public interface CoupledLoops {
  /** The implementation of this process: vectors where {@link VectorWidth#chosen} is not 0. */
  static CoupledLoops chosen() {
    return Chosen.COUPLED;
  }

  /**
   * One column of coupled descent, rows in order. With r = slopes − curvature·u, where u =
   * A·changes of the rows before, row i goes to the code nearest to code −
   * r_i/(A_ii·curvature·scale_i) where that lowers d·(½·d·A_ii·curvature − r_i), d = scale·(code
   * before − code after), below zero. A row whose A_ii·curvature is not above zero stays.
   *
   * @param slopes A·E·H of the column when it begins, at {@code at}; not changed
   * @param a A [rows×rows], symmetric
   * @param diagonal A_ii [rows]
   * @param scales [rows]
   * @param largest the largest code of each row [rows]
   * @param curvature H_jj
   * @param codes [rows] at {@code at}
   * @param changes receives d [rows] at {@code changesAt}
   * @param u receives A·d [rows]
   * @return rows whose codes have changed
   */
  int descendRows(
      float[] slopes,
      int at,
      int rows,
      float[] a,
      float[] diagonal,
      float[] scales,
      float[] largest,
      float curvature,
      float[] codes,
      float[] changes,
      int changesAt,
      float[] u);
}
