package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartStore;
import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;

/**
 * A block in the quantized chain: its weights, and those of its linears that have been quantized so
 * far.
 */
public record ChainLink(BlockSpec spec, Map<LinearRole, LearnedLinear> learned)
    implements Serializable {
  /** The weights with the learned linears in place of the original ones. */
  BlockWeights quantized(BlockWeights original, PartStore store) {
    Map<LinearRole, float[]> replaced = new TreeMap<>();
    learned.forEach((role, linear) -> replaced.put(role, linear.dequantize(store)));
    return original.with(replaced);
  }
}
