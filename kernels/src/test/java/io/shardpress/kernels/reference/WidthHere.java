package io.shardpress.kernels.reference;

import io.shardpress.kernels.matmul.VectorWidth;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Leaves tests out where the processor has no vectors of the width that is asked for. */
final class WidthHere implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    try {
      return ConditionEvaluationResult.enabled("vectors of " + VectorWidth.chosen() + " bits");
    } catch (UnsupportedOperationException e) {
      return ConditionEvaluationResult.disabled(e.getMessage());
    }
  }
}
