package io.shardpress.schemas;

import java.util.regex.Pattern;

/**
 * Input data that is not what it claims to be: a file, a tensor, a text. The message is one line
 * that names file, tensor, offset, the value found and the value wanted. The command line ends with
 * exit code 1.
 */
public class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  public CheckpointException(String message) {
    super(oneLine(message));
  }

  public CheckpointException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /** Names of tensors and files come from outside and may hold line ends or terminal codes. */
  private static String oneLine(String message) {
    return CONTROL
        .matcher(message)
        .replaceAll(c -> String.format("%%%02x", (int) c.group().charAt(0)));
  }
}
