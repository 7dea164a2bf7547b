package io.shardpress.spark.output;

import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.LearnedRows;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.learn.rounding.RoundedRows;
import io.shardpress.spark.store.PartKey;
import java.util.List;
import java.util.Map;

/**
 * What the steps of a run have made, as publications ask for it.
 *
 * @param linears learned, by module
 * @param rounded linears that are rounded while they are published, by module
 * @param scales of activations, keys and values, by name of the tensor that they are published as
 * @param rows parts with the rows of a tensor, by the tensor's name, in the order of the rows
 */
public record Results(
    Map<String, LearnedLinear> linears,
    Map<String, RoundedRows> rounded,
    Map<String, StaticScale> scales,
    Map<String, List<PartKey>> rows) {
  /** Nothing: all bytes come from the inputs. */
  public static final Results NONE = new Results(Map.of(), Map.of(), Map.of());

  /** Those of a run whose linears lie in parts. */
  public Results(
      Map<String, LearnedLinear> linears,
      Map<String, StaticScale> scales,
      Map<String, List<PartKey>> rows) {
    this(linears, Map.of(), scales, rows);
  }

  /** Those of a run that rounds while it publishes. */
  public static Results rounded(Map<String, RoundedRows> rounded) {
    return new Results(Map.of(), rounded, Map.of(), Map.of());
  }

  public Results {
    linears = Map.copyOf(linears);
    rounded = Map.copyOf(rounded);
    scales = Map.copyOf(scales);
    rows = Map.copyOf(rows);
  }

  /** The rows of a quantized linear, wherever they come from. */
  public QuantizedRows quantized(String module) {
    return rounded.containsKey(module) ? rounded.get(module) : new LearnedRows(linears.get(module));
  }
}
