package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/** e·H·eᵀ of some rows of errors at a time, for the whole of H or a block on its diagonal. */
final class ErrorForm {
  private final float[] h;
  private final int in;
  private final int width;
  private final Matmul matmul;
  private final Workers workers;
  private final float[] errors;
  private final float[] products;
  private final double[] forms;

  /**
   * @param h H [in×in], symmetric
   * @param rows at a time, at most
   * @param width of the block of H, and of the errors
   */
  ErrorForm(float[] h, int in, int rows, int width, Matmul matmul, Workers workers) {
    if ((long) in * in > h.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "H is %d×%d and needs %d elements, its array has %d",
              in,
              in,
              (long) in * in,
              h.length));
    }
    this.h = h;
    this.in = in;
    this.width = width;
    this.matmul = matmul;
    this.workers = workers;
    errors = new float[Math.multiplyExact(rows, width)];
    products = new float[errors.length];
    forms = new double[rows];
  }

  /** Where the caller puts the errors, [rows×width]. */
  float[] errors() {
    return errors;
  }

  /**
   * The form of each row.
   *
   * @param at where the block of H begins, in rows and columns
   * @return [rows], valid until the next call
   */
  double[] of(int rows, int at) {
    matmul.multiply(
        Op.AS_IS,
        Op.AS_IS,
        rows,
        width,
        width,
        1,
        errors,
        0,
        width,
        h,
        at * in + at,
        in,
        0,
        products,
        0,
        width,
        workers);
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int start = row * width;
          forms[row] = Loops.chosen().dot(errors, start, products, start, width);
        });
    return forms;
  }
}
