package io.shardpress.spark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The jar for spark-submit, after it was packaged: it brings what Spark lacks, and no more. */
class PackagedJarIT {
  private static final Path TARGET = Path.of("target");
  private static final Path JAR = TARGET.resolve("shardpress.jar");

  /** Whose classes the jar may hold: ours, and the libraries of the poms with what they need. */
  private static final List<String> OURS =
      List.of(
          "io/shardpress/",
          "picocli/",
          // Tokenizers and what DJL's API needs.
          "ai/djl/",
          "com/sun/jna/",
          // OpenBLAS.
          "org/bytedeco/",
          // The progress line.
          "me/tongfei/progressbar/",
          "org/jline/",
          // S3A, with the parts of the AWS SDK that it uses and their HTTP client.
          "org/apache/hadoop/",
          "software/amazon/",
          "org/apache/http/",
          "org/reactivestreams/",
          "org/wildfly/");

  @Test
  void holdsNoClassThatSparkHas() throws IOException {
    Set<String> both = new TreeSet<>(classes(JAR));
    Set<String> sparks = new TreeSet<>();
    for (String jar : spark()) {
      sparks.addAll(classes(Path.of(jar)));
    }
    assertThat(sparks).contains("org/apache/spark/SparkContext.class");
    both.retainAll(sparks);
    assertThat(both).isEmpty();
  }

  @Test
  void holdsNoClassOfAStranger() throws IOException {
    assertThat(classes(JAR))
        .contains("io/shardpress/spark/cli/Shardpress.class", "picocli/CommandLine.class")
        .allMatch(name -> OURS.stream().anyMatch(name::startsWith));
  }

  @Test
  void runsOnSparksJarsAlone() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + TARGET.resolve("jvm.options").toAbsolutePath());
    command.add("-cp");
    command.add(JAR + ":" + String.join(":", spark()));
    command.addAll(List.of("io.shardpress.spark.cli.Shardpress", "plan"));
    command.addAll(List.of("../samples/sample-llama", "--recipe=../conf/recipes/w4a16-rtn.yaml"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).contains("rtn W4A16");
  }

  private static List<String> spark() throws IOException {
    return Arrays.asList(Files.readString(TARGET.resolve("spark.txt")).strip().split(":"));
  }

  /** Names of classes, those for later JDKs under the name that they replace. */
  private static List<String> classes(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return file.stream()
          .map(JarEntry::getName)
          .filter(name -> name.endsWith(".class"))
          .map(name -> name.replaceFirst("^META-INF/versions/\\d+/", ""))
          .toList();
    }
  }
}
