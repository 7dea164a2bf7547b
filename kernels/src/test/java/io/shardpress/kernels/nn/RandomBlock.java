package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.BlockTraits.Activation;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Small decoder blocks with random weights. */
public final class RandomBlock {
  private RandomBlock() {}

  /** 12 wide, 20 in the feed-forward, 4 query and 2 key-value heads of 6. */
  public static BlockShape shape(int slidingWindow) {
    return new BlockShape(12, 20, 4, 2, 6, 1e-5, new double[] {1, 0.3, 0.05}, slidingWindow);
  }

  /** As Phi-3's: fused linears, a part of each head rotated and stretched. */
  static BlockShape fused(int slidingWindow) {
    return new BlockShape(
        12,
        20,
        4,
        2,
        6,
        1e-5,
        new Rotation(new double[] {1, 0.3}, null, 0, 1.1),
        slidingWindow,
        new BlockTraits(true, false, false, Activation.SILU, 6, 0, 0, false),
        null);
  }

  /** As Gemma's: gelu, norms of what is added to the stream, capped scores divided otherwise. */
  static BlockShape normedOutputs(int slidingWindow, double cap) {
    return new BlockShape(
        12,
        20,
        4,
        2,
        6,
        1e-5,
        new Rotation(new double[] {1, 0.3, 0.05}),
        slidingWindow,
        new BlockTraits(false, true, true, Activation.GELU_TANH, 3, cap, 0, true),
        null);
  }

  /** Weights that keep activations near 1; q, k, v and down with biases if asked. */
  public static BlockWeights weights(
      BlockShape shape, boolean biases, boolean headNorms, Random random) {
    Map<LinearRole, float[]> linears = new TreeMap<>();
    Map<LinearRole, float[]> added = new TreeMap<>();
    for (LinearRole role : shape.linears()) {
      int in = shape.in(role);
      linears.put(role, Arrays64.gaussian(random, shape.out(role) * in, 1 / Math.sqrt(in)));
    }
    if (biases) {
      for (LinearRole role : shape.linears()) {
        if (Stage.of(role) != Stage.QKV && !role.equals(LinearRole.DOWN)) {
          continue;
        }
        added.put(role, Arrays64.gaussian(random, shape.out(role), 0.5));
      }
    }
    return new BlockWeights(
        linears,
        added,
        Arrays64.gaussian(random, shape.hidden(), 1),
        Arrays64.gaussian(random, shape.hidden(), 1),
        headNorms ? Arrays64.gaussian(random, shape.headDim(), 1) : null,
        headNorms ? Arrays64.gaussian(random, shape.headDim(), 1) : null,
        shape.traits().outputNorms()
            ? new BlockWeights.OutputNorms(
                Arrays64.gaussian(random, shape.hidden(), 1),
                Arrays64.gaussian(random, shape.hidden(), 1))
            : null,
        null);
  }
}
