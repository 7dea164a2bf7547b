package io.shardpress.spark.output.gguf;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.output.OutputFormat;
import io.shardpress.spark.output.Format;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.plan.CompressionPlan;

/** Files that llama.cpp loads. */
public final class GgufFormat implements Format {
  static final String WORD = OutputFormat.GGUF.word();

  @Override
  public OutputFormat format() {
    return OutputFormat.GGUF;
  }

  /** GGUF's scales are f16, whatever the model is. */
  @Override
  public ScaleFormat scales(ScaleFormat model) {
    return ScaleFormat.F16;
  }

  @Override
  public Publication plan(CompressionPlan plan, OutputChoice choice) {
    GgufPlan gguf =
        new GgufPlanner(plan.checkpoint(), plan.config(), choice)
            .plan(plan.entries(), plan.recipe().kvCache().isPresent());
    return new GgufPublication(plan, gguf);
  }

  @Override
  public Publication again(CompressionPlan plan, Publication planned) {
    return ((GgufPublication) planned).with(plan);
  }
}
