package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationRange;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the static scales of a block from what its partitions observed: one for each stage, so that
 * linears that runtimes fuse share theirs, and k_scale and v_scale.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param ranges of the sample partitions, in their order
 * @param inputs of the stages that have static scales
 * @param cache null where keys and values stay as they are
 * @param format the dtype in which scales are stored
 */
public record ActivationScaleStep(
    String arithmetic,
    List<PartKey> ranges,
    Map<Stage, ActivationScheme> inputs,
    KvCacheScheme cache,
    ScaleFormat format)
    implements Step {
  private static final StepKind KIND = new StepKind("activation.scales", 1);

  public ActivationScaleStep {
    ranges = List.copyOf(ranges);
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(ranges);
  }

  @Override
  public void run(TaskEnvironment environment) {
    ActivationRanges observed = RangePart.read(environment.store(), ranges);
    try (PartWriter writer = environment.store().write(part())) {
      for (Stage stage : Stage.values()) {
        if (inputs.containsKey(stage)) {
          ActivationStep step = step(inputs.get(stage), observed.stage(stage));
          StaticScale.ofInputs(part(), stage).write(writer, step, format);
        }
      }
      if (cache != null) {
        ActivationFormat eightBits =
            cache.floating() ? ActivationFormat.FP8_E4M3 : ActivationFormat.INT8;
        StaticScale.ofKeys(part()).write(writer, observed.keys().wholeSymmetric(eightBits), format);
        StaticScale.ofValues(part())
            .write(writer, observed.values().wholeSymmetric(eightBits), format);
      }
      writer.commit();
    }
  }

  private static ActivationStep step(ActivationScheme scheme, ActivationRange range) {
    if (scheme.floating()) {
      return range.wholeSymmetric(ActivationFormat.FP8_E4M3);
    }
    if (scheme.search()) {
      return scheme.symmetric() ? range.leastErrorSymmetric() : range.leastErrorAsymmetric();
    }
    return scheme.symmetric()
        ? range.wholeSymmetric(ActivationFormat.INT8)
        : range.wholeAsymmetric();
  }
}
