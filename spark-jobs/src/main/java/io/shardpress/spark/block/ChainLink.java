package io.shardpress.spark.block;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.store.PartStore;
import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A block in the quantized chain: its weights, and those of its linears that have been quantized so
 * far.
 */
public record ChainLink(BlockSpec spec, Map<LinearRole, LearnedLinear> learned)
    implements Serializable {
  public ChainLink {
    learned = Collections.unmodifiableMap(new LinkedHashMap<>(learned));
  }

  /**
   * Reads the block as it is in the quantized chain: learned linears from the store, the others,
   * and those alone, from the model. Experts are read when they are asked for, each time anew.
   */
  public BlockWeights load(TensorReader reader, PartStore store) {
    return load(reader, store, spec.linears().keySet());
  }

  /** The same with linears of some roles only. */
  public BlockWeights load(TensorReader reader, PartStore store, Set<LinearRole> roles) {
    Map<LinearRole, float[]> quantized = new TreeMap<>();
    Set<LinearRole> others = new TreeSet<>(roles);
    for (LinearRole role : roles) {
      if (role.expert() == LinearRole.NONE && learned.containsKey(role)) {
        quantized.put(role, learned.get(role).dequantize(store));
        others.remove(role);
      }
    }
    return spec.load(
            reader,
            others,
            number -> BlockSpec.expert(number, read(reader, store, LinearRole.ofExpert(number))))
        .with(quantized);
  }

  /** Reads what an expert's inside is made by: gate and up, without down. */
  public MixtureWeights.Expert inside(int number, TensorReader reader, PartStore store) {
    return BlockSpec.expert(number, read(reader, store, BlockSpec.rolesInside(number)));
  }

  private Map<LinearRole, float[]> read(
      TensorReader reader, PartStore store, List<LinearRole> roles) {
    Map<LinearRole, float[]> weights =
        spec.read(reader, roles.stream().filter(role -> !learned.containsKey(role)).toList());
    for (LinearRole role : roles) {
      if (learned.containsKey(role)) {
        weights.put(role, learned.get(role).dequantize(store));
      }
    }
    return weights;
  }

  /** The weights that are given, with learned linears in place of their original ones. */
  public BlockWeights quantized(BlockWeights original, PartStore store) {
    Map<LinearRole, float[]> replaced = new TreeMap<>();
    for (LinearRole role : original.linears().keySet()) {
      if (learned.containsKey(role)) {
        replaced.put(role, learned.get(role).dequantize(store));
      }
    }
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
