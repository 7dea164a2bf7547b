package io.shardpress.spark.output.compressedtensors;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.output.OutputFormat;
import io.shardpress.spark.output.Format;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.plan.CompressionPlan;
import java.util.ArrayList;
import java.util.List;

/** Safetensors that vLLM and Transformers load. */
public final class CompressedTensorsFormat implements Format {
  static final String WORD = OutputFormat.COMPRESSED_TENSORS.word();

  @Override
  public OutputFormat format() {
    return OutputFormat.COMPRESSED_TENSORS;
  }

  /** Scales stand in the dtype of the model. */
  @Override
  public ScaleFormat scales(ScaleFormat model) {
    return model;
  }

  @Override
  public Publication plan(CompressionPlan plan, OutputChoice choice) {
    List<String> warnings = new ArrayList<>();
    try {
      new RuntimeChecks(plan.checkpoint().uri()).check(plan.entries());
    } catch (CheckpointException e) {
      if (choice.forVllm()) {
        throw e;
      }
      warnings.add("vLLM will not load this: " + e.getMessage());
    }
    warnings.addAll(RuntimeWarnings.of(plan));
    return new CompressedTensorsPublication(plan, warnings);
  }

  @Override
  public Publication again(CompressionPlan plan, Publication planned) {
    return new CompressedTensorsPublication(plan, planned.warnings());
  }
}
