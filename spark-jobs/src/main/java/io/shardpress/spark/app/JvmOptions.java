package io.shardpress.spark.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * The JVM's options. Writes those that Spark itself gives to its JVMs, and {@link #KERNELS}, one a
 * line, to the file named by the only argument; {@code java @file} takes it. The build runs this,
 * so that nobody keeps a copy by hand.
 */
public final class JvmOptions {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  /**
   * What kernels need of the compiler. Vector code that is still interpreted makes an object of
   * every vector: it is compiled early, and threads wait for the compiler rather than compete with
   * it. Compiled code does so, too, where the compiler goes without guards on classes, as it does
   * from a method's hundredth trap on, counting the traps of an operation's first calls again for
   * every such operation in a kernel.
   */
  private static final List<String> KERNELS =
      List.of(
          "-XX:CompileCommand=quiet",
          "-XX:PerMethodTrapLimit=10000",
          "-XX:CompileCommand=CompileThresholdScaling,io.shardpress.kernels.*::*,0.02",
          "-XX:CompileCommand=BackgroundCompilation,io.shardpress.kernels.*::*,false");

  /**
   * The optimizing compiler waits for six times as many calls as it would: most of what a start of
   * Spark calls often enough for it is not called again. Kernels, with a fiftieth of that, wait for
   * few calls all the same.
   */
  private static final List<String> COMPILER =
      List.of(
          "-XX:Tier4InvocationThreshold=30000",
          "-XX:Tier4MinInvocationThreshold=3600",
          "-XX:Tier4CompileThreshold=90000",
          "-XX:Tier4BackEdgeThreshold=240000");

  /**
   * What a JVM that works with batches does with memory. They are large arrays, which G1 would
   * place one by one among its regions; on pages of 4 KB, processors look up many addresses in
   * them; and they outlive many collections, so that a larger young generation would only touch
   * more memory.
   */
  private static final List<String> MEMORY =
      List.of("-XX:+UseParallelGC", "-Xmn320m", "-XX:+UseTransparentHugePages");

  private JvmOptions() {}

  /** Writes the file; its folder is made where it is not there. */
  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      throw new IllegalArgumentException("wanted one argument, the file to write");
    }
    Path file = Path.of(args[0]).toAbsolutePath();
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", options()) + "\n", StandardCharsets.UTF_8);
  }

  /** For an executor's JVM, beside what Spark gives it anyway. */
  public static String ofExecutors() {
    List<String> options = new ArrayList<>(MEMORY);
    options.addAll(COMPILER);
    options.addAll(KERNELS);
    return String.join(" ", options);
  }

  static List<String> options() {
    List<String> options =
        new ArrayList<>(
            Arrays.asList(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
    if (options.stream().noneMatch(option -> option.contains(VECTOR_MODULE))) {
      options.add("--add-modules=" + VECTOR_MODULE);
    }
    options.addAll(COMPILER);
    options.addAll(KERNELS);
    return options;
  }
}
