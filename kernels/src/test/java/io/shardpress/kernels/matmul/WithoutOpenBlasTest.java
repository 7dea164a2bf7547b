package io.shardpress.kernels.matmul;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** JVMs that lack what would be fastest: they compute without it, and say what is missing. */
class WithoutOpenBlasTest {
  private static final String NO_SUCH_PLATFORM = "-Dorg.bytedeco.javacpp.platform=nowhere-none";
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";

  @Test
  void aPlatformForWhichThereIsNone() throws Exception {
    assertThat(run(NO_SUCH_PLATFORM, VECTORS))
        .containsPattern("products by vector-\\d+, loops on vectors of \\d+ bits")
        .contains("there is no OpenBLAS for nowhere-none on the class path (add the jars")
        .containsPattern("products are computed by vector-\\d+")
        .doesNotContain("Vector API");
  }

  /** The library has to be copied out of its jar, and no folder takes it. */
  @Test
  void aLibraryThatDoesNotLoad() throws Exception {
    String nowhere = "/dev/null/nowhere";
    assertThat(
            run(
                "-Dorg.bytedeco.javacpp.cachedir=" + nowhere,
                "-Duser.home=" + nowhere,
                "-Djava.io.tmpdir=" + nowhere,
                VECTORS))
        .containsPattern("OpenBLAS for \\S+ cannot be loaded \\(.*cache")
        .containsPattern("products are computed by vector-\\d+");
  }

  @Test
  void withoutTheVectorModuleTooTheOracleComputes() throws Exception {
    assertThat(run(NO_SUCH_PLATFORM))
        .contains("products by scalar, loops without vectors")
        .contains("there is no OpenBLAS")
        .contains("products are computed by scalar; this JVM has no Vector API")
        .contains("--add-modules jdk.incubator.vector");
  }

  @Test
  void withoutTheVectorModuleOpenBlasComputesStill() throws Exception {
    assertThat(run())
        .contains("loops without vectors")
        .contains("fallback: this JVM has no Vector API");
  }

  @Test
  void whatWasAskedForIsNoFallback() throws Exception {
    assertThat(run(NO_SUCH_PLATFORM, "-Dshardpress.matmul=scalar", "-Dshardpress.vector.bits=0"))
        .contains("products by scalar, as -Dshardpress.matmul asks, loops without vectors")
        .contains("fallback: none");
  }

  @Test
  void askedForByNameItFailsWithTheReason() throws Exception {
    assertThat(run(NO_SUCH_PLATFORM, "-Dshardpress.matmul=openblas"))
        .contains("UnsupportedOperationException: there is no OpenBLAS for nowhere-none");
  }

  /** What the JVM prints. */
  public static void main(String[] arguments) {
    System.out.println(Matmuls.describe());
    System.out.println("fallback: " + Matmuls.fallback().orElse("none"));
  }

  private static String run(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), WithoutOpenBlasTest.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    return output;
  }
}
