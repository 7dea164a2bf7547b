package io.shardpress.kernels.metrics;

import java.io.Serializable;

/**
 * Figures of positions, one entry each; nobody compares two of them.
 *
 * @param kl KL(original‖compressed) of the next-token distributions, nats, at least 0
 * @param originalNll −log p(target) of the original, nats
 * @param compressedNll the same of the compressed model
 * @param agrees whether both give the same token the greatest probability
 */
public record PositionFigures(
    double[] kl, double[] originalNll, double[] compressedNll, boolean[] agrees)
    implements Serializable {
  /** Positions that there are figures of. */
  public int count() {
    return kl.length;
  }
}
