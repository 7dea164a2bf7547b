package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;

/**
 * Sees what a block's backward pass comes by: at each stage what its linears read and the gradient
 * of what they give, so that sums over tokens can be taken without any weight's gradient. Stages
 * come in reverse; of a mixture of experts one expert after the other, down before gate and up.
 */
public interface BackwardObserver {
  /** Looks at nothing. */
  BackwardObserver NONE =
      new BackwardObserver() {
        @Override
        public void stage(StageGradients stage, Workers workers) {}
      };

  /** Called once for each stage; of an expert through which no token goes not at all. */
  void stage(StageGradients stage, Workers workers);

  /** Whether {@link #norm} is to be called, which costs a pass over the norms' inputs. */
  default boolean norms() {
    return false;
  }

  /**
   * The gradient of a norm's weight over the batch.
   *
   * @param gradient ∂loss/∂w as {@link BlockWeights} has w, [hidden] or [headDim]
   */
  default void norm(BlockNorm norm, double[] gradient) {}
}
