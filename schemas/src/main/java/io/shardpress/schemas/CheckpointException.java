package io.shardpress.schemas;

/**
 * The data is not what it has to be: a broken file, a missing tensor, a text too short. The message
 * is one line that names the file, the tensor, the value found and the value wanted. Exit code 1.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
