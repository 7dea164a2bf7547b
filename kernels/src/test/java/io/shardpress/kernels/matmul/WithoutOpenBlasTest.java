package io.shardpress.kernels.matmul;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A JVM for whose platform there is no OpenBLAS, as on machines that the jar was not built for. */
class WithoutOpenBlasTest {
  private static final String NO_SUCH_PLATFORM = "-Dorg.bytedeco.javacpp.platform=nowhere-none";

  @Test
  void javaGoesOnAndSaysWhy() throws IOException, InterruptedException {
    assertThat(run(NO_SUCH_PLATFORM, "--add-modules=jdk.incubator.vector"))
        .contains("matmul vector-")
        .contains("OpenBLAS cannot be loaded on")
        .contains("UnsatisfiedLinkError")
        .contains("must be on the class path");
  }

  @Test
  void withoutTheVectorModuleTooTheOracleComputes() throws IOException, InterruptedException {
    assertThat(run(NO_SUCH_PLATFORM)).contains("matmul scalar").contains("OpenBLAS cannot");
  }

  @Test
  void askedForByNameItFailsWithTheReason() throws IOException, InterruptedException {
    assertThat(run(NO_SUCH_PLATFORM, "-Dshardpress.matmul=openblas"))
        .contains("UnsupportedOperationException: OpenBLAS cannot be loaded on");
  }

  /** What the JVM prints. */
  public static void main(String[] arguments) {
    System.out.println(Matmuls.describe());
  }

  private static String run(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), WithoutOpenBlasTest.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }
}
