package io.shardpress.spark.learn.transform;

import io.shardpress.kernels.learn.ChannelScales;
import io.shardpress.kernels.learn.SmoothQuant;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Moves a part of a block's activations' range into its weights by SmoothQuant, at the two norms.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param observed magnitudes of the stages' inputs, a part for each sample partition
 * @param stages of which the inputs are scaled
 * @param quantized linears that will be quantized
 */
public record SmoothQuantStep(
    String arithmetic,
    BlockSpec spec,
    List<PartKey> observed,
    Set<Stage> stages,
    Set<LinearRole> quantized,
    double strength)
    implements Step {
  private static final StepKind KIND = new StepKind("smoothquant", 1);

  public SmoothQuantStep {
    observed = List.copyOf(observed);
    stages = Collections.unmodifiableSet(new LinkedHashSet<>(stages));
    quantized = Collections.unmodifiableSet(new LinkedHashSet<>(quantized));
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.tensors(spec.tensors());
  }

  @Override
  public void run(TaskEnvironment environment) {
    FoldedBlock block =
        new FoldedBlock(spec, spec.load(environment.reader()), environment.reader());
    for (Stage stage : Stage.values()) {
      if (!stages.contains(stage)) {
        continue;
      }
      float[] inputs = MagnitudesObserver.read(environment.store(), observed, stage).absMax();
      ChannelScales scales = SmoothQuant.scales(inputs, block.columnMaxima(stage), strength);
      block.fold(stage, block.storable(stage, scales));
    }
    block.write(environment, part(), quantized);
  }
}
