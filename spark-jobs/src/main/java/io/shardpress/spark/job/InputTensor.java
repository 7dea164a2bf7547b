package io.shardpress.spark.job;

import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.PlanEntry;
import java.util.List;

/**
 * An input tensor in the account of a run.
 *
 * @param reason of the action, in a few words; may be empty
 */
public record InputTensor(TensorRef tensor, Action action, String reason) {
  /** Those of a plan. */
  static List<InputTensor> of(List<PlanEntry> entries) {
    return entries.stream()
        .map(entry -> new InputTensor(entry.tensor(), entry.action(), entry.reason()))
        .toList();
  }
}
