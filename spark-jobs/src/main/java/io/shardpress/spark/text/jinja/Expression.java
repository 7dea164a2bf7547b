package io.shardpress.spark.text.jinja;

/**
 * A part of a template that has a value: null for none, Boolean, Long, Double, String, List, Map,
 * {@link Undefined}, {@link Namespace}, {@link Callable} or {@link LoopState}.
 */
@FunctionalInterface
interface Expression {
  Object value(Scope scope);
}
