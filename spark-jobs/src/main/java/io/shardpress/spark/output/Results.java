package io.shardpress.spark.output;

import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.store.PartKey;
import java.util.List;
import java.util.Map;

/**
 * What the steps of a run have made, as publications ask for it.
 *
 * @param linears learned, by module
 * @param scales of activations, keys and values, by name of the tensor that they are published as
 * @param rows parts with the rows of a tensor, by the tensor's name, in the order of the rows
 */
public record Results(
    Map<String, LearnedLinear> linears,
    Map<String, StaticScale> scales,
    Map<String, List<PartKey>> rows) {
  /** Nothing: all bytes come from the inputs. */
  public static final Results NONE = new Results(Map.of(), Map.of(), Map.of());

  public Results {
    linears = Map.copyOf(linears);
    scales = Map.copyOf(scales);
    rows = Map.copyOf(rows);
  }
}
