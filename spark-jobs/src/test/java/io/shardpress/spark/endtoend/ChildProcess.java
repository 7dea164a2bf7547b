package io.shardpress.spark.endtoend;

import io.shardpress.spark.cli.Shardpress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The command line, or another program, in a process of its own, with the options that the launcher
 * gives.
 */
public final class ChildProcess {
  private ChildProcess() {}

  /**
   * Starts a command.
   *
   * @param properties of its JVM
   */
  static Process start(Path out, Path err, Map<String, String> properties, String... words)
      throws IOException {
    return start(Shardpress.class, List.of(), out, err, properties, words);
  }

  /**
   * Starts a program of the tests.
   *
   * @param main its class
   * @param properties of its JVM
   */
  public static Process start(
      Class<?> main, Path out, Path err, Map<String, String> properties, String... words)
      throws IOException {
    return start(main, List.of(), out, err, properties, words);
  }

  /**
   * Starts a command by another.
   *
   * @param by that other with its options; empty for none
   */
  public static Process start(
      List<String> by, Path out, Path err, Map<String, String> properties, String... words)
      throws IOException {
    return start(Shardpress.class, by, out, err, properties, words);
  }

  private static Process start(
      Class<?> main,
      List<String> by,
      Path out,
      Path err,
      Map<String, String> properties,
      String... words)
      throws IOException {
    List<String> command = new ArrayList<>(by);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("target/jvm.options").toAbsolutePath());
    command.addAll(List.of("-Xmx1g", "-XX:+UseSerialGC", "-XX:+DisplayVMOutputToStderr"));
    command.add("-Dlog4j2.configurationFile=" + System.getProperty("log4j2.configurationFile"));
    properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(words));
    return new ProcessBuilder(command)
        .redirectOutput(out.toFile())
        .redirectError(err.toFile())
        .start();
  }
}
