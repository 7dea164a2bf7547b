package io.shardpress.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is answered without Spark is answered by a JVM that never loads it. */
class StartTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "--help,0",
    "--version,0",
    "compress --help,0",
    "compress m o --shceme W4A16,2",
    "compress m o --scheme W4A61,2",
    "compress m o --algorithm awk,2"
  })
  void loadsNeitherSparkNorHadoop(String words, int code) throws Exception {
    Path classes = folder.resolve("classes.log");
    assertThat(start(classes, words.split(" "))).isEqualTo(code);
    assertThat(Files.readString(classes))
        .contains("io.shardpress.spark.cli.Shardpress")
        .doesNotContain("org.apache.spark", "org.apache.hadoop", "scala.", "ai.djl");
  }

  private int start(Path classes, String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xlog:class+load:file=" + classes);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Shardpress.class.getName());
    command.addAll(List.of(args));
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int code = process.waitFor();
    assertThat(Files.readString(output, StandardCharsets.UTF_8)).isNotEmpty();
    return code;
  }
}
