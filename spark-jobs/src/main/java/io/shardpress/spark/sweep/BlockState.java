package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A block on its way through a run: what it reads, and what has been learned of it so far. */
public final class BlockState {
  public final BlockSpec spec;

  /** The linears to be quantized. */
  public final Map<LinearRole, PlanEntry> targets;

  /** Inputs in the full-precision and in the quantized chain, a part for each sample partition. */
  public final List<PartKey> full;

  public final List<PartKey> quantized;

  /** What has been learned. */
  public final Map<LinearRole, LearnedLinear> learned = new TreeMap<>();

  /** State between stages, by sample partition. */
  public final List<Map<Stage, PartKey>> states = new ArrayList<>();

  /** Parts that nobody needs once the block is learned. */
  public final List<PartKey> passing = new ArrayList<>();

  public BlockState(
      BlockSpec spec,
      Map<LinearRole, PlanEntry> targets,
      List<PartKey> full,
      List<PartKey> quantized) {
    this.spec = spec;
    this.targets = targets;
    this.full = full;
    this.quantized = quantized;
    full.forEach(part -> states.add(new EnumMap<>(Stage.class)));
  }

  public ChainLink link() {
    return new ChainLink(spec, new TreeMap<>(learned));
  }

  /** The block with what has been learned of its attention. */
  public ChainLink attentionLink() {
    Map<LinearRole, LearnedLinear> attention = new TreeMap<>(learned);
    attention.keySet().removeIf(role -> role.expert() != LinearRole.NONE);
    return new ChainLink(spec, attention);
  }

  /** Whether it has a mixture of experts, which are learned one by one. */
  public boolean sparse() {
    return spec.shape().mixture() != null;
  }

  /** The block with nothing learned. */
  public ChainLink original() {
    return new ChainLink(spec, new TreeMap<>());
  }

  public StageInputs inputs(int partition) {
    return new StageInputs(
        full.get(partition), quantized.get(partition), new EnumMap<>(states.get(partition)));
  }

  public WeightScheme scheme(LinearRole role) {
    return targets.get(role).choice().group().weights();
  }
}
