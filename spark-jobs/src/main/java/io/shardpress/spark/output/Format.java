package io.shardpress.spark.output;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.output.OutputFormat;
import io.shardpress.spark.plan.CompressionPlan;

/** A format in which {@code compress} publishes a checkpoint. */
public interface Format {
  /** As the command line has it. */
  OutputFormat format();

  /** What stored scales must be exact in, of a model whose own dtype is {@code model}. */
  ScaleFormat scales(ScaleFormat model);

  /**
   * The publication of a plan.
   *
   * @throws io.shardpress.schemas.CheckpointException where the format has no place for a tensor
   */
  Publication plan(CompressionPlan plan, OutputChoice choice);

  /**
   * The publication of the same plan after steps: tensors may be read from elsewhere, and sizes be
   * known that headers do not say.
   */
  Publication again(CompressionPlan plan, Publication planned);
}
