package io.shardpress.spark.cli;

import io.shardpress.spark.io.StorageFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;

/**
 * One line about a failure that nobody foresaw. Spark wraps what a task threw, sometimes as a cause
 * and sometimes only in its message, behind what it says of stages and retries.
 */
final class UnexpectedFailure {
  private static final Pattern SPARKS_PREAMBLE =
      Pattern.compile("^.*?Lost task \\S+ in stage \\S+ \\(TID \\d+\\) \\([^)]*\\): ");

  private static final Pattern INPUT_OR_OUTPUT =
      Pattern.compile("^a task failed: java\\.io\\.(Unchecked)?IOException: ");

  private UnexpectedFailure() {}

  static String line(Throwable failure) {
    Throwable told = failure;
    while (sparks(told) && told.getCause() != null) {
      told = told.getCause();
    }
    if (told instanceof IOException storage) {
      return StorageFault.reason(storage);
    }
    String message = told.getMessage();
    if (message == null || message.isBlank()) {
      return told.getClass().getName();
    }
    String first = message.strip().lines().findFirst().orElse("");
    if (sparks(told)) {
      String task = SPARKS_PREAMBLE.matcher(first).replaceFirst("a task failed: ");
      return INPUT_OR_OUTPUT.matcher(task).replaceFirst("");
    }
    // Messages of input and output are written for people; of other classes the name says most.
    return told instanceof UncheckedIOException ? first : told.getClass().getName() + ": " + first;
  }

  /** By its name, since the command line knows no Spark. */
  private static boolean sparks(Throwable failure) {
    return failure.getClass().getName().startsWith("org.apache.spark.");
  }
}
