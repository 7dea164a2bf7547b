package io.shardpress.schemas;

/**
 * What was asked for cannot be meant: an unknown option, scheme or recipe key. The message is one
 * line that names what was found and the nearest thing that exists. Exit code 2.
 */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }

  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
