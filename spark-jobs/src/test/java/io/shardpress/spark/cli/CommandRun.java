package io.shardpress.spark.cli;

import io.shardpress.spark.app.CommandEngine;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;

/**
 * A command as users run it, in this JVM: the real command line over the real engine.
 *
 * @param code the exit code
 * @param out all of stdout
 * @param err all of stderr, Spark's log apart
 */
public record CommandRun(int code, String out, String err) {
  /** Runs a command; commands of one JVM run one after the other. */
  public static CommandRun of(String... args) {
    PrintStream systemOut = System.out;
    PrintStream systemErr = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);
    int code;
    try {
      System.setOut(outStream);
      System.setErr(errStream);
      CommandLine line = Shardpress.over(CommandEngine::load);
      line.setOut(new PrintWriter(outStream, true, StandardCharsets.UTF_8));
      line.setErr(new PrintWriter(errStream, true, StandardCharsets.UTF_8));
      code = line.execute(args);
    } finally {
      System.setOut(systemOut);
      System.setErr(systemErr);
    }
    return new CommandRun(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Lines of stderr that tell of errors. */
  public List<String> errors() {
    return err.lines().filter(line -> line.startsWith("error:")).toList();
  }

  /** What a command that prints one line printed. */
  public String line() {
    return out.strip();
  }
}
