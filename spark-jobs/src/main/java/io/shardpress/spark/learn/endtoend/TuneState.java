package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.LogScales;
import io.shardpress.kernels.learn.SparseLatents;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import java.util.HashMap;
import java.util.Map;

/**
 * Scales and norms of a block, or of the head, after some steps: logarithms of scales by a linear's
 * label, logarithms of a norm's change by its name.
 */
final class TuneState {
  private static final String SCALES = "d ";
  private static final String NORM = "e ";
  private static final String LATENTS = "a ";

  private final Map<String, float[]> values;

  private TuneState(Map<String, float[]> values) {
    this.values = values;
  }

  /**
   * Reads it from its part; before the first step there is none.
   *
   * @param moments whether what an optimizer keeps beside is wanted, too
   */
  static TuneState read(PartStore store, PartKey part, boolean moments) {
    Map<String, float[]> values = new HashMap<>();
    if (part != null) {
      try (PartReader reader = store.read(part)) {
        for (int i = 0; i < reader.rows(); i++) {
          String name = reader.tensor(i);
          if (moments || own(name)) {
            values.put(name, reader.row(i).floats());
          }
        }
      }
    }
    return new TuneState(values);
  }

  /** The name under which a linear's scales, or their gradient, stand. */
  static String name(LinearRole role) {
    return SCALES + role.label();
  }

  private static boolean own(String name) {
    return name.startsWith(SCALES) || name.startsWith(NORM) || name.startsWith(LATENTS);
  }

  /** The name under which a linear's latents, or their gradient, stand. */
  static String latents(LinearRole role) {
    return LATENTS + role.label();
  }

  /** The name under which a norm's change, or its gradient, stands. */
  static String name(String norm) {
    return NORM + norm;
  }

  /** Logarithms of a norm's change; null before the first step. */
  float[] norm(String norm) {
    return values.get(name(norm));
  }

  /** What stands under a name; null before the first step. */
  float[] value(String name) {
    return values.get(name);
  }

  /**
   * A linear with the state's scales and integers.
   *
   * @param latents of the integers that are learned, as the state has them; null where none are
   */
  QuantizedLinear apply(
      LinearRole role, QuantizedLinear solved, SparseLatents latents, ScaleFormat format) {
    QuantizedLinear start = latents == null ? solved : latents.applied(solved);
    float[] d = values.get(name(role));
    if (d == null) {
      return start;
    }
    Steps steps =
        new Steps(
            start.out(),
            start.steps().groups(),
            LogScales.stored(d, format),
            start.steps().zeros());
    return new QuantizedLinear(start.out(), start.in(), start.scheme(), start.codes(), steps);
  }
}
