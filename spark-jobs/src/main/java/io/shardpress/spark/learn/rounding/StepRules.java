package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.FixedPointSearch;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.StepRule;

/** The step rules by name: what crosses Spark in place of them. */
@SuppressWarnings("ImmutableEnumChecker") // rules have no state
public enum StepRules {
  /** The whole range. */
  MIN_MAX(new MinMax()),
  /** 80 ranges down to 0.4 of the whole and one zero point to either side, by squared error. */
  RANGE_SEARCH(new RangeSearch(80, 0.4, 1, 2)),
  /** The step of the least squared error for its own integers: EasyQuant's. */
  FIXED_POINT(new FixedPointSearch());

  private final StepRule rule;

  StepRules(StepRule rule) {
    this.rule = rule;
  }

  StepRule rule() {
    return rule;
  }

  /** The rule that a recipe's {@code step_search} names. */
  public static StepRule of(boolean search) {
    return named(search).rule;
  }

  /** The name of that rule. */
  public static StepRules named(boolean search) {
    return search ? RANGE_SEARCH : MIN_MAX;
  }
}
