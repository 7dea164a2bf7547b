package io.shardpress.spark.unit;

import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.StepRule;

/** The step rules that a recipe's {@code step_search} names. */
final class StepRules {
  // 80 ranges down to 0.4 of the whole and one zero point to either side, by squared error.
  private static final StepRule SEARCH = new RangeSearch(80, 0.4, 1, 2);

  private StepRules() {}

  static StepRule of(boolean search) {
    return search ? SEARCH : new MinMax();
  }
}
