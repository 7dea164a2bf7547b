package io.shardpress.spark.text.jinja;

/**
 * What has no value, as Jinja2's Undefined: it prints nothing, is false and has no elements;
 * anything else that is done with it is an error.
 *
 * @param what which name or key it is, for messages
 */
record Undefined(String what) {
  JinjaException error() {
    return new JinjaException(what + " is undefined");
  }

  /** All are alike. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return 1;
  }
}
