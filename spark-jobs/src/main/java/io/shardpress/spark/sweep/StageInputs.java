package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.store.PartKey;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The parts that a sample partition's pass through a block reads.
 *
 * @param full the block's input in the full-precision chain
 * @param quantized its input in the quantized chain; the same part where they do not differ
 * @param states what the passes of the stages before left, by stage
 */
public record StageInputs(PartKey full, PartKey quantized, Map<Stage, PartKey> states)
    implements Serializable {
  public StageInputs {
    states = Collections.unmodifiableMap(new LinkedHashMap<>(states));
  }

  /** All of them, as what a task reads. */
  Reads reads() {
    List<PartKey> parts = new ArrayList<>(states.values());
    parts.add(full);
    if (!quantized.equals(full)) {
      parts.add(quantized);
    }
    return Reads.parts(parts);
  }
}
