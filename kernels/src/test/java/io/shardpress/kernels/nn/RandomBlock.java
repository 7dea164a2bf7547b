package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.LinearRole;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small decoder blocks with random weights. */
public final class RandomBlock {
  private RandomBlock() {}

  /** 12 wide, 20 in the feed-forward, 4 query and 2 key-value heads of 6. */
  public static BlockShape shape(int slidingWindow) {
    return new BlockShape(12, 20, 4, 2, 6, 1e-5, new double[] {1, 0.3, 0.05}, slidingWindow);
  }

  /** Weights that keep activations near 1; q, k, v and down with biases if asked. */
  public static BlockWeights weights(
      BlockShape shape, boolean biases, boolean headNorms, Random random) {
    Map<LinearRole, float[]> linears = new EnumMap<>(LinearRole.class);
    Map<LinearRole, float[]> added = new EnumMap<>(LinearRole.class);
    for (LinearRole role : LinearRole.values()) {
      int in = shape.in(role);
      linears.put(role, Arrays64.gaussian(random, shape.out(role) * in, 1 / Math.sqrt(in)));
    }
    if (biases) {
      for (LinearRole role : List.of(LinearRole.Q, LinearRole.K, LinearRole.V, LinearRole.DOWN)) {
        added.put(role, Arrays64.gaussian(random, shape.out(role), 0.5));
      }
    }
    return new BlockWeights(
        linears,
        added,
        Arrays64.gaussian(random, shape.hidden(), 1),
        Arrays64.gaussian(random, shape.hidden(), 1),
        headNorms ? Arrays64.gaussian(random, shape.headDim(), 1) : null,
        headNorms ? Arrays64.gaussian(random, shape.headDim(), 1) : null);
  }
}
