package io.shardpress.spark.text.jinja;

/** A part of a template that prints or sets something. */
@FunctionalInterface
interface Statement {
  void run(Scope scope);
}
