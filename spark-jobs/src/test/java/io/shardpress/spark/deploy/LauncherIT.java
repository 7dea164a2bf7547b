package io.shardpress.spark.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher over the packaged jar, in the surroundings that cron and containers give it. */
class LauncherIT {
  /** As no user, with root's right to read: the jars may lie in root's own folder. */
  private static final List<String> AS_NO_USER =
      List.of(
          "setpriv",
          "--reuid=12345",
          "--regid=12345",
          "--clear-groups",
          "--inh-caps=+dac_read_search",
          "--ambient-caps=+dac_read_search");

  @TempDir Path temporary;

  private static List<String> compress(String model, String output) {
    return List.of(
        "compress", model, output, "--scheme=W4A16", "--algorithm=rtn", "--master=local[2]");
  }

  /**
   * A name that is not ASCII, as the bytes of a process's arguments: shells give them as they are.
   */
  @ParameterizedTest
  @ValueSource(strings = {"C", "POSIX", "xx_XX.UTF-8"})
  void foldersOfAnyNameInTheLocaleOfCron(String locale) throws Exception {
    Path script = temporary.resolve("run");
    Path model = Path.of("mod\u00e8le \u6a21\u578b");
    Path copy = copied(temporary.resolve("m"));
    Files.writeString(
        script,
        """
        cd "$1"; mv m '%s'
        exec "$2" compress '%s' 'sortie \u00e9' --scheme=W4A16 --algorithm=rtn --master='local[2]'
        """
            .formatted(model, model),
        StandardCharsets.UTF_8);
    Map<String, String> environment = new TreeMap<>();
    environment.put("LC_ALL", locale);
    environment.put("LANG", "");
    assertThat(copy).isDirectory();
    ProcessBuilder builder =
        new ProcessBuilder(
                "/bin/bash", script.toString(), temporary.toString(), Launcher.SCRIPT.toString())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().remove("LANG");
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    // Listed by another program, since this JVM's locale may not name it either.
    Process list =
        new ProcessBuilder(
                "/bin/bash", "-c", "cat \"$1\"/sortie*/shardpress.json", "-", temporary.toString())
            .start();
    String manifest = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(manifest).contains("mod\u00e8le \u6a21\u578b");
  }

  private static Path copied(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> files = Files.list(SampleFiles.FOLDER)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName().toString()));
      }
    }
    return folder;
  }

  @Test
  void aUserWithoutAName() throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/setpriv"))
            && Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0));
    Path open = Files.createDirectory(temporary.resolve("open"));
    for (Path folder : List.of(open, temporary)) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
    Map<String, String> environment = Map.of("HOME", "/", "HADOOP_USER_NAME", "");
    Launcher plan =
        Launcher.run(
            temporary,
            AS_NO_USER,
            environment,
            List.of("plan", SampleFiles.FOLDER.toString(), "--algorithm=rtn"));
    assertThat(plan.code()).as(plan.err()).isZero();
    Launcher run =
        Launcher.run(
            temporary,
            AS_NO_USER,
            environment,
            compress(SampleFiles.FOLDER.toString(), open.resolve("o").toString()));
    assertThat(run.code()).as(run.err()).isZero();
    Launcher verified =
        Launcher.run(
            temporary, AS_NO_USER, environment, List.of("verify", open.resolve("o").toString()));
    assertThat(verified.out()).isEqualTo(run.out());
  }
}
