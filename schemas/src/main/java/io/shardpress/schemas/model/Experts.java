package io.shardpress.schemas.model;

import java.util.List;

/**
 * The mixture of experts that blocks have in place of one feed-forward: a router's softmax over all
 * experts chooses some for each token, and their outputs are added with its weights.
 *
 * @param count experts of a block
 * @param perToken how many of them a token goes through
 * @param intermediateSize width inside each
 * @param renormalised whether the weights of the chosen ones are made to add up to 1
 * @param sharedIntermediateSize width inside one more that all tokens go through, times the sigmoid
 *     of a gate of its own (Qwen2-MoE); 0 for none
 * @param sparse whether it stands in each block, in their order; the others are dense
 */
public record Experts(
    int count,
    int perToken,
    int intermediateSize,
    boolean renormalised,
    int sharedIntermediateSize,
    List<Boolean> sparse) {
  public Experts {
    sparse = List.copyOf(sparse);
  }

  /** Whether there is one that all tokens go through. */
  public boolean shared() {
    return sharedIntermediateSize > 0;
  }
}
