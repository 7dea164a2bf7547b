package io.shardpress.spark.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.package$;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Templates are well-formed, name what exists, and hold what their readers require. */
class TemplatesTest {
  private static final Path CONF = Path.of("../conf").toAbsolutePath().normalize();
  private static final String MAIN = "io.shardpress.spark.cli.Shardpress";

  @TempDir Path temporary;

  @Test
  void apachesOperatorFindsWhatItNeeds() throws IOException {
    Map<?, ?> manifest = manifest("apache-spark-operator.yaml", "spark.apache.org/v1");
    Map<?, ?> spec = (Map<?, ?>) manifest.get("spec");
    assertThat(spec.get("mainClass")).isEqualTo(MAIN);
    assertThat((String) spec.get("jars")).endsWith("/shardpress.jar");
    assertThat(((Map<?, ?>) spec.get("runtimeVersions")).get("sparkVersion")).isEqualTo(spark());
    Map<?, ?> settings = (Map<?, ?>) spec.get("sparkConf");
    assertThat(settings.get("spark.kubernetes.container.image")).isInstanceOf(String.class);
    settings(settings);
    command((List<?>) spec.get("driverArgs"));
    Map<?, ?> restart =
        (Map<?, ?>) ((Map<?, ?>) spec.get("applicationTolerations")).get("restartConfig");
    assertThat((String) restart.get("restartPolicy"))
        .isIn("Always", "Never", "OnFailure", "OnInfrastructureFailure");
  }

  @Test
  void kubeflowsOperatorFindsWhatItNeeds() throws IOException {
    Map<?, ?> manifest = manifest("kubeflow-spark-operator.yaml", "sparkoperator.k8s.io/v1beta2");
    Map<?, ?> spec = (Map<?, ?>) manifest.get("spec");
    assertThat(spec.get("type")).isEqualTo("Scala");
    assertThat(spec.get("mode")).isEqualTo("cluster");
    assertThat(spec.get("sparkVersion")).isEqualTo(spark());
    assertThat(spec.get("image")).isInstanceOf(String.class);
    assertThat(spec.get("mainClass")).isEqualTo(MAIN);
    assertThat((String) spec.get("mainApplicationFile")).endsWith("/shardpress.jar");
    settings((Map<?, ?>) spec.get("sparkConf"));
    command((List<?>) spec.get("arguments"));
    for (String role : List.of("driver", "executor")) {
      Map<?, ?> pod = (Map<?, ?>) spec.get(role);
      assertThat(pod.get("cores")).isInstanceOf(Integer.class);
      assertThat((String) pod.get("memory")).matches("\\d+[gm]");
    }
    assertThat(((Map<?, ?>) spec.get("restartPolicy")).get("type"))
        .isIn("Always", "Never", "OnFailure");
  }

  @ParameterizedTest
  @ValueSource(strings = {"spark-defaults.conf", "yarn/spark-yarn.conf"})
  void propertiesAreSparks(String name) throws IOException {
    // Spark itself reads such a file with java.util.Properties.
    Properties properties = new Properties();
    properties.load(new StringReader(Files.readString(CONF.resolve(name))));
    settings(properties);
  }

  @ParameterizedTest
  @CsvSource({"python3,airflow/nightly_compression.py", "bash,yarn/submit"})
  void scriptsAreWellFormed(String interpreter, String name) throws Exception {
    Path file = CONF.resolve(name);
    assertThat(file).exists();
    List<String> command =
        interpreter.equals("bash")
            ? List.of("bash", "-n", file.toString())
            : List.of(
                interpreter,
                "-c",
                "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)",
                file.toString(),
                temporary.resolve("compiled").toString());
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeTrue(false, interpreter + " is not there, so " + name + " was not checked");
      return;
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }

  @Test
  void theDagsCommandsAreOurs() throws IOException {
    String dag = Files.readString(CONF.resolve("airflow/nightly_compression.py"));
    assertThat(dag).contains(MAIN, "compress >> evaluate >> publish");
    for (String option : List.of("--recipe", "--work")) {
      assertThat(dag).contains(option);
      assertThat(CommandRun.of("compress", "--help").out()).contains(option);
    }
    for (String option : List.of("--text", "--max-kl", "--json")) {
      assertThat(dag).contains(option);
      assertThat(CommandRun.of("evaluate", "--help").out()).contains(option);
    }
  }

  private static Map<?, ?> manifest(String name, String apiVersion) throws IOException {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    Map<?, ?> manifest =
        new Yaml(new SafeConstructor(options))
            .load(Files.readString(CONF.resolve("kubernetes").resolve(name)));
    assertThat(manifest.get("apiVersion")).isEqualTo(apiVersion);
    assertThat(manifest.get("kind")).isEqualTo("SparkApplication");
    assertThat((String) ((Map<?, ?>) manifest.get("metadata")).get("name"))
        .matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
    return manifest;
  }

  /** Kubernetes wants strings; Shardpress sets its serializer itself. */
  private static void settings(Map<?, ?> settings) {
    assertThat(settings).isNotEmpty();
    settings.forEach(
        (key, value) -> {
          assertThat((String) key).startsWith("spark.").doesNotContain("serializer", "kryo");
          assertThat(value).isInstanceOf(String.class);
        });
  }

  /** The command line of a template passes the parser, up to the folders, which are not there. */
  private static void command(List<?> words) {
    assertThat(words.get(0)).isEqualTo("compress");
    List<String> dry = new ArrayList<>();
    words.forEach(word -> dry.add(((String) word).replace("s3a:/", "/absent")));
    dry.set(1, "/absent/model");
    dry.add("--dry-run");
    CommandRun run = CommandRun.of(dry.toArray(String[]::new));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("/absent/model: no such folder");
  }

  private static String spark() {
    return package$.MODULE$.SPARK_VERSION();
  }
}
