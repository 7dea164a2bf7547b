package io.shardpress.schemas;

/**
 * A wrong option, scheme or recipe key: something that the person who started the command wrote.
 * The message is one line. The command line ends with exit code 2.
 */
public class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(OneLine.of(message));
  }

  public UsageException(String message, Throwable cause) {
    super(OneLine.of(message), cause);
  }
}
