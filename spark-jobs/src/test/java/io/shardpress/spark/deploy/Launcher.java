package io.shardpress.spark.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The launcher as people start it.
 *
 * @param code its exit code
 */
record Launcher(int code, String out, String err) {
  static final Path SCRIPT = Path.of("../scripts/shardpress").toAbsolutePath().normalize();

  /**
   * Starts it.
   *
   * @param by another command with its options that starts it; empty for none
   * @param environment what is set in it; an empty value unsets
   */
  static Launcher run(
      Path temporary, List<String> by, Map<String, String> environment, List<String> words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(by);
    command.add("/bin/bash");
    command.add(SCRIPT.toString());
    command.addAll(words);
    Path out = Files.createTempFile(temporary, "out", "");
    Path err = Files.createTempFile(temporary, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    environment.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    int code = builder.start().waitFor();
    return new Launcher(code, text(out), text(err));
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
