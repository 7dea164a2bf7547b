package io.shardpress.spark.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Writes the options that Spark itself gives to its JVMs, one a line, to the file named by the only
 * argument; {@code java @file} takes it. The build runs this, so that nobody keeps a copy by hand.
 */
public final class JvmOptions {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

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

  static List<String> options() {
    List<String> options =
        new ArrayList<>(
            Arrays.asList(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
    if (options.stream().noneMatch(option -> option.contains(VECTOR_MODULE))) {
      options.add("--add-modules=" + VECTOR_MODULE);
    }
    return options;
  }
}
