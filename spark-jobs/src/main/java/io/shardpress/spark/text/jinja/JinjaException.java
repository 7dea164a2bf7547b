package io.shardpress.spark.text.jinja;

/** A template that cannot be read, or cannot be carried out on what it was given. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  JinjaException(String message) {
    super(message);
  }
}
