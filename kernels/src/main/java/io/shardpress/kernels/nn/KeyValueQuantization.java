package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.ActivationLoops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationStep;
import java.io.Serializable;

/** How the attention's cache of keys and values is rounded to eight bits. */
public sealed interface KeyValueQuantization extends Serializable {
  /** Rounds keys and values [rows×width] in place as they come from their linears and norms. */
  void beforeRope(int rows, int width, float[] keys, float[] values, Workers workers);

  /** Rounds keys and values [rows×width] in place when the keys are rotated. */
  void afterRope(int rows, int width, float[] keys, float[] values, Workers workers);

  /**
   * Every token by its own range over all heads, integers with a zero point, keys before the
   * rotation: as LRQ was evaluated (arXiv 2407.11534). No runtime stores it so.
   */
  record PerToken() implements KeyValueQuantization {
    @Override
    public void beforeRope(int rows, int width, float[] keys, float[] values, Workers workers) {
      RowTiles.forEach(
          rows,
          workers,
          row -> {
            token(keys, row * width, width);
            token(values, row * width, width);
          });
    }

    @Override
    public void afterRope(int rows, int width, float[] keys, float[] values, Workers workers) {}

    private static void token(float[] x, int at, int width) {
      float[] range = new float[2];
      ActivationLoops.chosen().range(x, at, width, range);
      ActivationStep.asymmetric(range[0], range[1]).fakeQuantize(x, x, at, width);
    }
  }

  /**
   * All tokens by one step each for keys and values, k_scale and v_scale, from calibration, keys
   * after the rotation: what runtimes keep in their caches (compressed-tensors' kv_cache_scheme,
   * which is FP8 there).
   */
  record PerTensor(ActivationStep key, ActivationStep value) implements KeyValueQuantization {
    @Override
    public void beforeRope(int rows, int width, float[] keys, float[] values, Workers workers) {}

    @Override
    public void afterRope(int rows, int width, float[] keys, float[] values, Workers workers) {
      RowTiles.forEach(
          rows,
          workers,
          row -> {
            key.fakeQuantize(keys, keys, row * width, width);
            value.fakeQuantize(values, values, row * width, width);
          });
    }
  }
}
