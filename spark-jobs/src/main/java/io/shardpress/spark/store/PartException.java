package io.shardpress.spark.store;

/** A part is not what was written: cut short, or its data do not match their checksum. */
public final class PartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PartException(String message, Throwable cause) {
    super(message, cause);
  }
}
