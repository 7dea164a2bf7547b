package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;

/**
 * The linears of a block that read the same input. A layer-wise learner takes the stages in order,
 * since each reads what the quantized linears of the stages before it produce.
 */
public enum Stage {
  QKV,
  O,
  GATE_UP,
  DOWN;

  /** The stage that a linear belongs to. */
  public static Stage of(LinearRole role) {
    return switch (role.kind()) {
      case Q, K, V, QKV -> QKV;
      case O -> O;
      case GATE, UP, GATE_UP -> GATE_UP;
      case DOWN -> DOWN;
    };
  }

  /** Whether its linear's output is added to the residual stream. */
  public boolean addsToResidual() {
    return this == O || this == DOWN;
  }
}
