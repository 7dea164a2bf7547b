package io.shardpress.spark.engine;

import java.util.List;

/**
 * Names classes whose values cross Spark, found by {@link java.util.ServiceLoader}: steps, tasks
 * and what tasks answer, and implementations of interfaces that are components of them. A job that
 * comes in a jar of its own has one of its own.
 */
public interface CrossingClasses {
  /** Roots in the sense of {@link Crossing}. */
  List<Class<?>> roots();
}
