package io.shardpress.spark.engine;

import java.util.concurrent.atomic.LongAdder;
import org.apache.spark.util.AccumulatorV2;

/** A sum that tasks add to, from any of their threads; Spark's own is for one thread. */
final class Tally extends AccumulatorV2<Long, Long> {
  private static final long serialVersionUID = 1L;

  private final LongAdder sum = new LongAdder();

  @Override
  public boolean isZero() {
    return sum.sum() == 0;
  }

  @Override
  public AccumulatorV2<Long, Long> copy() {
    Tally copy = new Tally();
    copy.add(sum.sum());
    return copy;
  }

  @Override
  public void reset() {
    sum.reset();
  }

  @Override
  public void add(Long more) {
    sum.add(more);
  }

  @Override
  public void merge(AccumulatorV2<Long, Long> other) {
    sum.add(other.value());
  }

  @Override
  public Long value() {
    return sum.sum();
  }
}
