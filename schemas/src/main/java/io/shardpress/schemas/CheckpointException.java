package io.shardpress.schemas;

/**
 * Input data that is not what it claims to be: a file, a tensor, a text. The message is one line
 * that names file, tensor, offset, the value found and the value wanted. The command line ends with
 * exit code 1.
 */
public class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(OneLine.of(message));
  }

  public CheckpointException(String message, Throwable cause) {
    super(OneLine.of(message), cause);
  }
}
