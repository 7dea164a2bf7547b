package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;

/**
 * Of several roundings of a linear, row by row the one with the least layer-wise objective: rows
 * are independent once they are rounded, so the whole is no worse than any of those offered.
 */
final class BestRows {
  private final LayerObjective objective;
  private final double[] least;
  private final QuantizedLinear best;

  /** Starts from a rounding; the ones offered later are copied from where they are better. */
  BestRows(LayerObjective objective, QuantizedLinear first, Workers workers) {
    this.objective = objective;
    Steps steps = first.steps();
    best =
        new QuantizedLinear(
            first.out(),
            first.in(),
            first.scheme(),
            first.codes().clone(),
            new Steps(steps.out(), steps.groups(), steps.scales().clone(), steps.zeros().clone()));
    least = objective.rows(first.dequantize(), workers);
  }

  void offer(QuantizedLinear other, Workers workers) {
    double[] rows = objective.rows(other.dequantize(), workers);
    int in = best.in();
    int groups = best.steps().groups();
    for (int row = 0; row < rows.length; row++) {
      if (rows[row] < least[row]) {
        least[row] = rows[row];
        System.arraycopy(other.codes(), row * in, best.codes(), row * in, in);
        int at = row * groups;
        System.arraycopy(other.steps().scales(), at, best.steps().scales(), at, groups);
        System.arraycopy(other.steps().zeros(), at, best.steps().zeros(), at, groups);
      }
    }
  }

  QuantizedLinear best() {
    return best;
  }

  /** The objective of {@link #best}. */
  double least() {
    return Arrays.stream(least).sum();
  }
}
