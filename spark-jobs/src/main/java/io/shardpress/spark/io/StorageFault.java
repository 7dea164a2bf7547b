package io.shardpress.spark.io;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;

/**
 * What storage has against something, in words: messages of exceptions are for those who know which
 * class they belong to, such as a file's name alone where permission is denied.
 */
public final class StorageFault {
  private static final String IN_THE_WAY = "a file stands where a folder is wanted";

  private StorageFault() {}

  /** Whether permission is what is missing; Java's own streams say so of files not found. */
  public static boolean denied(IOException e) {
    if (e instanceof AccessDeniedException
        || e.getClass().getSimpleName().equals("AccessControlException")) {
      return true;
    }
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("permission denied");
  }

  /** Whether what is to be a folder is, or lies below, a file. */
  private static boolean fileInTheWay(IOException e) {
    return e instanceof FileAlreadyExistsException
        || e instanceof NotDirectoryException
        || e.getClass().getSimpleName().equals("ParentNotDirectoryException")
        || (e instanceof FileSystemException system
            && "Not a directory".equals(system.getReason()));
  }

  /** The reason, in one line. */
  public static String reason(IOException e) {
    String message = e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
    if (denied(e)) {
      // HDFS and S3 say of whom and what; of local files there is the name alone.
      boolean told = message.contains("user=") || message.contains("403");
      return "permission denied for user "
          + ProcessUser.name()
          + (told
              ? ": " + message
              : "; give it the right to read and write there, or run as another");
    }
    if (e instanceof NoSuchFileException || e instanceof FileNotFoundException) {
      return "no such file" + (message.isEmpty() ? "" : ": " + message);
    }
    if (fileInTheWay(e)) {
      return IN_THE_WAY + ": " + (e instanceof FileSystemException f ? f.getFile() : message);
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "the folder is not empty: " + message;
    }
    if (e instanceof FileSystemException system && system.getReason() != null) {
      return system.getReason() + ": " + system.getFile();
    }
    return message.isEmpty() ? e.getClass().getSimpleName() : message;
  }

  /**
   * The exception for it. What a run has learned so far stays, since the same command goes on once
   * storage lets it.
   *
   * @param doing what could not be done: cannot list
   */
  public static UncheckedIOException of(String uri, String doing, IOException e) {
    return new UncheckedIOException(uri + ": " + doing + ": " + reason(e), e);
  }
}
