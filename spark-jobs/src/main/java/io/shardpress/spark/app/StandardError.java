package io.shardpress.spark.app;

import io.shardpress.spark.engine.Progress;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether people watch stderr as it is written. */
public final class StandardError {
  private static final Path LINK = Path.of("/proc/self/fd/2");

  private StandardError() {}

  /** Progress for whatever stderr is. */
  public static Progress progress() {
    return isTerminal() ? new TerminalProgress(System.err) : new LogProgress(System.err);
  }

  /**
   * Linux says where file 2 leads. Elsewhere Java knows only of stdin and stdout together: {@link
   * System#console}, which from JDK 22 on is there for pipes too and has to be asked.
   */
  @SuppressWarnings("SystemConsoleNull")
  private static boolean isTerminal() {
    if ("dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    if (Files.isSymbolicLink(LINK)) {
      try {
        String target = Files.readSymbolicLink(LINK).toString();
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
      } catch (IOException e) {
        return false;
      }
    }
    Console console = System.console();
    return console != null && saysTerminal(console);
  }

  private static boolean saysTerminal(Console console) {
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      // Before JDK 22 a console was a terminal.
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }
}
