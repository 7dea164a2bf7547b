package io.shardpress.spark.text.jinja;

/** Something that a template can call: a macro, a function, a method with what it belongs to. */
@FunctionalInterface
interface Callable {
  Object call(Arguments arguments);
}
