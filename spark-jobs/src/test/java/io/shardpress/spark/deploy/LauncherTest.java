package io.shardpress.spark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher says where there is no JVM that could say anything. */
class LauncherTest {
  private static final List<String> PLAN =
      List.of("plan", "../samples/sample-llama", "--algorithm=rtn");

  @TempDir Path temporary;

  /** The programs that the launcher uses, and no java. */
  private Path programs;

  @BeforeEach
  void link() throws Exception {
    programs = Files.createDirectory(temporary.resolve("bin"));
    for (String name : List.of("bash", "dirname", "readlink", "sed", "cat", "find", "locale")) {
      for (String folder : List.of("/usr/bin", "/bin")) {
        Path program = Path.of(folder, name);
        if (Files.exists(program) && !Files.exists(programs.resolve(name))) {
          Files.createSymbolicLink(programs.resolve(name), program);
        }
      }
    }
  }

  private Launcher run(Map<String, String> environment) throws Exception {
    return Launcher.run(temporary, List.of(), environment, PLAN);
  }

  private static void refused(Launcher run, String... parts) {
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).singleElement().asString().startsWith("error: ").contains(parts);
  }

  @Test
  void javaHomeLeadsNowhere() throws Exception {
    refused(run(Map.of("JAVA_HOME", "/nowhere")), "/nowhere/bin/java", "JAVA_HOME", "17");
  }

  @Test
  void noJavaOnThePath() throws Exception {
    refused(run(Map.of("JAVA_HOME", "", "PATH", programs.toString())), "no java on PATH", "17");
  }

  @Test
  void aJavaThatIsTooOld() throws Exception {
    for (String version : List.of("1.8.0_392", "11.0.21")) {
      Path home = Files.createDirectory(temporary.resolve("jdk" + version));
      Path java = Files.createDirectory(home.resolve("bin")).resolve("java");
      Files.writeString(java, "#!/bin/sh\n");
      assertThat(java.toFile().setExecutable(true)).isTrue();
      Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
      String major = version.startsWith("1.8") ? "found Java 8 " : "found Java 11 ";
      refused(run(Map.of("JAVA_HOME", home.toString())), major, "wanted 17");
    }
  }
}
