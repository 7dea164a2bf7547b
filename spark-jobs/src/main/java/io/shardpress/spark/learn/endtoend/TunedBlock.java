package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.NormScales;
import io.shardpress.kernels.learn.SparseLatents;
import io.shardpress.kernels.nn.BlockNorm;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LazyExperts;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A block with its scales and norms as a state has them, in one task. */
final class TunedBlock {
  private final TunedModel model;
  private final int number;
  private final ChainLink link;
  private final TuneState state;
  private final ScaleFormat format;
  private final TaskEnvironment environment;
  private final Map<LinearRole, QuantizedLinear> linears = new TreeMap<>();
  private final BlockWeights weights;

  TunedBlock(TunedModel model, int number, TuneState state, TaskEnvironment environment) {
    this.model = model;
    this.number = number;
    this.link = model.blocks().get(number);
    this.state = state;
    this.format = model.format();
    this.environment = environment;
    Set<LinearRole> others = new HashSet<>(link.spec().linears().keySet());
    others.removeAll(link.learned().keySet());
    BlockWeights rest = link.spec().load(environment.reader(), others);
    Map<LinearRole, float[]> replaced = new TreeMap<>();
    for (LinearRole role : link.learned().keySet()) {
      if (role.expert() == LinearRole.NONE) {
        replaced.put(role, linear(role).dequantize());
      }
    }
    weights = withNorms(withExperts(rest.with(replaced)));
  }

  /** The weights, dequantized; experts when they are asked for. */
  BlockWeights weights() {
    return weights;
  }

  /** A linear with the state's scales; of an expert read anew each time. */
  QuantizedLinear linear(LinearRole role) {
    QuantizedLinear known = linears.get(role);
    if (known != null) {
      return known;
    }
    QuantizedLinear start = link.learned().get(role).read(environment.store());
    QuantizedLinear tuned = state.apply(role, start, latents(role), format);
    if (role.expert() == LinearRole.NONE) {
      linears.put(role, tuned);
    }
    return tuned;
  }

  /** A linear's learned integers as the state has them; null where they stay. */
  SparseLatents latents(LinearRole role) {
    PartKey candidates = model.candidates(number, role);
    if (candidates == null) {
      return null;
    }
    float[] now = state.value(TuneState.latents(role));
    return CandidatesStep.read(environment.store(), candidates, link.learned().get(role).in(), now);
  }

  /** Whether a linear's scales are tuned. */
  boolean tunes(LinearRole role) {
    return link.learned().containsKey(role);
  }

  private BlockWeights withExperts(BlockWeights block) {
    MixtureWeights experts = block.mixture();
    if (experts == null) {
      return block;
    }
    return block.with(
        new LazyExperts(
            experts.router(),
            experts.sharedGate(),
            number -> {
              List<LinearRole> roles = LinearRole.ofExpert(number);
              boolean all = roles.stream().allMatch(this::tunes);
              MixtureWeights.Expert original = all ? null : experts.expert(number);
              return new MixtureWeights.Expert(
                  weight(roles.get(0), all ? null : original.gate()),
                  weight(roles.get(1), all ? null : original.up()),
                  weight(roles.get(2), all ? null : original.down()));
            }));
  }

  private float[] weight(LinearRole role, float[] original) {
    return tunes(role) ? linear(role).dequantize() : original;
  }

  /** Norms of a block's weights, those that it has. */
  static Map<BlockNorm, float[]> norms(BlockWeights block) {
    Map<BlockNorm, float[]> norms = new EnumMap<>(BlockNorm.class);
    norms.put(BlockNorm.INPUT, block.inputNorm());
    norms.put(BlockNorm.POST, block.postNorm());
    if (block.queryNorm() != null) {
      norms.put(BlockNorm.QUERY, block.queryNorm());
      norms.put(BlockNorm.KEY, block.keyNorm());
    }
    if (block.outputNorms() != null) {
      norms.put(BlockNorm.ATTENTION_OUTPUT, block.outputNorms().attention());
      norms.put(BlockNorm.FEED_FORWARD_OUTPUT, block.outputNorms().feedForward());
    }
    return norms;
  }

  /** Where the norms of a block lie, by their names in a state. */
  static Map<String, TensorRef> tensors(BlockSpec spec) {
    Map<String, TensorRef> tensors = new LinkedHashMap<>();
    for (BlockNorm norm : BlockNorm.values()) {
      if (spec.others().containsKey(part(norm))) {
        tensors.put(norm.name(), spec.others().get(part(norm)));
      }
    }
    return tensors;
  }

  private static BlockPart part(BlockNorm norm) {
    return switch (norm) {
      case INPUT -> BlockPart.INPUT_NORM;
      case POST -> BlockPart.POST_NORM;
      case QUERY -> BlockPart.QUERY_NORM;
      case KEY -> BlockPart.KEY_NORM;
      case ATTENTION_OUTPUT -> BlockPart.ATTENTION_OUTPUT_NORM;
      case FEED_FORWARD_OUTPUT -> BlockPart.FEED_FORWARD_OUTPUT_NORM;
    };
  }

  private BlockWeights withNorms(BlockWeights block) {
    Map<BlockNorm, float[]> tuned = new EnumMap<>(BlockNorm.class);
    norms(block)
        .forEach(
            (norm, start) -> {
              TensorRef stored = link.spec().others().get(part(norm));
              float offset = link.spec().shape().traits().normsFromOne() ? 1 : 0;
              tuned.put(norm, tuned(start, state.norm(norm.name()), offset, stored.dtype()));
            });
    return new BlockWeights(
        block.linears(),
        block.biases(),
        tuned.get(BlockNorm.INPUT),
        tuned.get(BlockNorm.POST),
        tuned.get(BlockNorm.QUERY),
        tuned.get(BlockNorm.KEY),
        block.outputNorms() == null
            ? null
            : new BlockWeights.OutputNorms(
                tuned.get(BlockNorm.ATTENTION_OUTPUT), tuned.get(BlockNorm.FEED_FORWARD_OUTPUT)),
        block.mixture());
  }

  /**
   * A norm's weight as the checkpoint will have it.
   *
   * @param logs of its change; null before the first step
   */
  static float[] tuned(float[] start, float[] logs, float offset, Dtype dtype) {
    return logs == null
        ? start
        : new NormScales(start, logs, offset, ScaleFormat.of(dtype)).weights();
  }
}
