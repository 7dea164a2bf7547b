package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;
import java.util.List;

/**
 * The linears of a block that read the same input. A layer-wise learner takes the stages in order,
 * since each reads what the quantized linears of the stages before it produce.
 */
public enum Stage {
  QKV(LinearRole.Q, LinearRole.K, LinearRole.V),
  O(LinearRole.O),
  GATE_UP(LinearRole.GATE, LinearRole.UP),
  DOWN(LinearRole.DOWN);

  private final List<LinearRole> linears;

  Stage(LinearRole... linears) {
    this.linears = List.of(linears);
  }

  /** Whether its linear's output is added to the residual stream. */
  public boolean addsToResidual() {
    return this == O || this == DOWN;
  }

  /** The linears in the order in which they are solved. */
  public List<LinearRole> linears() {
    return linears;
  }
}
