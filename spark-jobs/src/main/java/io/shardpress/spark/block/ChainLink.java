package io.shardpress.spark.block;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartStore;
import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A block in the quantized chain: its weights, and those of its linears that have been quantized so
 * far.
 */
public record ChainLink(BlockSpec spec, Map<LinearRole, LearnedLinear> learned)
    implements Serializable {
  public ChainLink {
    learned = Collections.unmodifiableMap(new LinkedHashMap<>(learned));
  }

  /** The weights with the learned linears in place of the original ones. */
  public BlockWeights quantized(BlockWeights original, PartStore store) {
    Map<LinearRole, float[]> replaced = new TreeMap<>();
    learned.forEach(
        (role, linear) -> {
          if (role.expert() == LinearRole.NONE) {
            replaced.put(role, linear.dequantize(store));
          }
        });
    BlockWeights block = original.with(replaced);
    MixtureWeights experts = original.mixture();
    return experts == null
        ? block
        : block.with(
            new LazyExperts(
                experts.router(),
                experts.sharedGate(),
                number -> quantized(experts.expert(number), number, store)));
  }

  /** An expert with what of it has been learned. */
  public MixtureWeights.Expert quantized(
      MixtureWeights.Expert original, int number, PartStore store) {
    List<LinearRole> roles = LinearRole.ofExpert(number);
    return new MixtureWeights.Expert(
        quantized(roles.get(0), original.gate(), store),
        quantized(roles.get(1), original.up(), store),
        quantized(roles.get(2), original.down(), store));
  }

  private float[] quantized(LinearRole role, float[] original, PartStore store) {
    return learned.containsKey(role) ? learned.get(role).dequantize(store) : original;
  }
}
