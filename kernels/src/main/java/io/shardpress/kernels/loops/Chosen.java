package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/** Made on first use, so that a process that never computes loads no Vector API. */
final class Chosen {
  static final Loops LOOPS;
  static final QuantizationLoops QUANTIZATION;
  static final AutoRoundLoops AUTO_ROUND;
  static final StepLoops STEPS;
  static final ActivationLoops ACTIVATIONS;
  static final TanhLoops TANH;
  static final CoupledLoops COUPLED;

  static {
    boolean vectors = VectorWidth.chosen() != 0;
    LOOPS = vectors ? new VectorLoops() : new ScalarLoops();
    QUANTIZATION = vectors ? new VectorQuantizationLoops() : new ScalarQuantizationLoops();
    AUTO_ROUND = vectors ? new VectorAutoRoundLoops() : new ScalarAutoRoundLoops();
    STEPS = vectors ? new VectorStepLoops() : new ScalarStepLoops();
    ACTIVATIONS = vectors ? new VectorActivationLoops() : new ScalarActivationLoops();
    COUPLED = vectors ? new VectorCoupledLoops() : new ScalarCoupledLoops();
    TANH = vectors ? new VectorTanhLoops() : new ScalarTanhLoops();
  }

  private Chosen() {}
}
