package io.shardpress.spark.block;

import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.IOException;
import java.io.Serializable;

/** A quantized linear [out×in] as its publication reads it: pieces of its rows, in their order. */
public interface QuantizedRows extends Serializable {
  /** Its name. */
  String module();

  /** Rows. */
  int out();

  /** Columns. */
  int in();

  /** What it was quantized to. */
  WeightScheme scheme();

  /** Takes packed codes of some rows. */
  @FunctionalInterface
  interface Codes {
    /**
     * @param bytes little-endian words, as {@link io.shardpress.kernels.pack.BitPacking} packs
     *     rows; the array's own only as long as this call
     */
    void accept(byte[] bytes) throws IOException;
  }

  /** Takes packed codes of some rows, and their steps. */
  @FunctionalInterface
  interface Rows {
    /**
     * @param bytes as {@link Codes} has them
     * @param steps of these rows, and perhaps others
     * @param first the row of {@code steps} that {@code bytes} begin with
     */
    void accept(byte[] bytes, Steps steps, int first) throws IOException;
  }

  /**
   * Gives all codes.
   *
   * @throws IOException what {@code codes} throws
   */
  void forEachCodes(TaskEnvironment environment, Codes codes) throws IOException;

  /**
   * Gives all codes with their steps.
   *
   * @throws IOException what {@code rows} throws
   */
  void forEachRows(TaskEnvironment environment, Rows rows) throws IOException;

  /** Scales [out × groups] and zero points. */
  Steps readSteps(TaskEnvironment environment);
}
