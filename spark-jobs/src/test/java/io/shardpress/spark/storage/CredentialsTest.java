package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Credentials stand in no log, report, manifest, part or event log. */
@ExtendWith(Servers.class)
class CredentialsTest {
  private static final String TOKEN = "thisTokenIsInNoOutput0815";

  @TempDir static Path shared;

  private static S3Server s3;

  @BeforeAll
  static void start(S3Server server) {
    s3 = server;
    s3.proxy().reset(Faults.NONE);
  }

  /** A run in a process of its own, with all that Spark says of itself. */
  private static Path run(String name, String... words) throws Exception {
    Path log = shared.resolve(name + ".log");
    Path logging =
        Files.writeString(
            shared.resolve("log4j2.properties"),
            """
            rootLogger.level = info
            rootLogger.appenderRef.stderr.ref = stderr
            appender.stderr.type = Console
            appender.stderr.name = stderr
            appender.stderr.target = SYSTEM_ERR
            appender.stderr.layout.type = PatternLayout
            appender.stderr.layout.pattern = %p %c: %m%n%throwable
            """);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("target/jvm.options").toAbsolutePath());
    command.addAll(List.of("-Xmx1g", "-Dlog4j2.configurationFile=" + logging, "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add("io.shardpress.spark.cli.Shardpress");
    command.addAll(List.of(words));
    command.addAll(s3.options());
    command.add("--conf=spark.hadoop.fs.s3a.session.token=" + TOKEN);
    command.add("--conf=spark.logConf=true");
    command.add("--conf=spark.eventLog.enabled=true");
    command.add("--conf=spark.eventLog.dir=" + Files.createDirectories(shared.resolve("events")));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    Files.writeString(shared.resolve(name + ".code"), String.valueOf(process.exitValue()));
    return log;
  }

  private static void assertWithout(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    for (String secret : List.of(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, TOKEN)) {
      assertThat(text.contains(secret)).as("%s in %s", secret, file).isFalse();
    }
  }

  @Test
  void inNothingThatIsWritten() throws Exception {
    s3.bucket("secrets");
    s3.upload(SmallModel.write(shared.resolve("model")), "s3a://secrets/model");
    List<String> words =
        new ArrayList<>(
            List.of("compress", "s3a://secrets/model", shared.resolve("out").toString()));
    words.addAll(List.of("--algorithm=rtn", "--master=local[2]"));
    words.addAll(s3.options());
    CommandRun done = CommandRun.of(words.toArray(String[]::new));
    assertThat(done.code()).as(done.err()).isZero();
    Files.writeString(shared.resolve("done.log"), done.out() + done.err());
    // A task that fails, and Spark's account of it.
    s3.proxy().reset(new Faults(0, 0, "/secrets/out/model.safetensors", 0));
    Path failed =
        run(
            "failed",
            "compress",
            "s3a://secrets/model",
            "s3a://secrets/out",
            "--work=" + shared.resolve("work"),
            "--algorithm=rtn",
            "--master=local[2]",
            "--stacktrace");
    s3.proxy().reset(Faults.NONE);
    assertThat(shared.resolve("failed.code")).hasContent("1");
    assertThat(failed).content().contains("error: s3a://secrets/out/model.safetensors", "Denied");
    int files = 0;
    try (Stream<Path> all = Files.walk(shared)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        assertWithout(file);
        files++;
      }
    }
    // Logs, event logs, outputs and parts.
    assertThat(files).isGreaterThan(20);
  }
}
