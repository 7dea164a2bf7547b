package io.shardpress.spark.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JvmOptionsTest {
  @Test
  void thisJvmRunsWithEveryOptionOfTheFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("new/jvm.options");
    JvmOptions.main(new String[] {file.toString()});
    assertThat(Files.readAllLines(file))
        .contains("--add-modules=jdk.incubator.vector")
        .allMatch(line -> line.startsWith("-") && !line.contains(" "));
    assertThat(ManagementFactory.getRuntimeMXBean().getInputArguments())
        .containsAll(
            Files.readAllLines(file).stream().filter(line -> line.startsWith("--add")).toList());
  }
}
