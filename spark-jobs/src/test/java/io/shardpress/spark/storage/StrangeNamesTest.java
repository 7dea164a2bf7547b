package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of any characters, lists that are late, markers of folders, and s3:// without EMR. */
@ExtendWith(Servers.class)
class StrangeNamesTest {
  private static final String[] RTN = {"--algorithm=rtn", "--master=local[2]"};
  private static final String[] GPTQ = {
    "--algorithm=gptq", "--master=local[2]", "--samples=8", "--sequence-length=32"
  };

  @TempDir static Path shared;

  private static HdfsCluster hdfs;
  private static S3Server s3;
  private static Path model;

  @BeforeAll
  static void start(HdfsCluster cluster, S3Server server) throws IOException {
    hdfs = cluster;
    s3 = server;
    s3.proxy().reset(Faults.NONE);
    model = SmallModel.write(shared.resolve("model"));
    s3.bucket("names");
  }

  private static CommandRun run(String[] options, String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of(options));
    all.addAll(s3.options());
    CommandRun run = CommandRun.of(all.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private static String folder(String where) {
    return switch (where) {
      case "hdfs" -> hdfs.uri() + "/";
      case "s3" -> "s3a://names/";
      default -> shared + "/";
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "hdfs", "s3"})
  void anyName(String where) throws IOException {
    String hash = run(GPTQ, "compress", model.toString(), shared + "/plain-" + where).line();
    // The tests' S3 server answers never to some names with + or ; or beyond ASCII.
    String name =
        "a b/dt=2026-01/50%41/x#y"
            + (where.equals("s3") ? "" : "/p+q,r;s/mod\u00e8le \u6a21\u578b");
    String root = folder(where) + name;
    Folders.copy(model, root + "/m", s3.configuration());
    String[] options = {
      "--algorithm=gptq",
      "--master=local[2]",
      "--samples=8",
      "--sequence-length=32",
      "--work=" + root + "/work",
      "--calibration=" + root + "/m/calibration.jsonl"
    };
    String output = root + "/out";
    assertThat(run(options, "compress", root + "/m", output).line()).isEqualTo(hash);
    assertThat(run(new String[0], "verify", output).line()).isEqualTo(hash);
    String[] statistics = {"--statistics", "--master=local[2]"};
    assertThat(run(statistics, "inspect", root + "/m").out())
        .isEqualTo(run(statistics, "inspect", model.toString()).out());
    String[] text = {
      "--text=" + root + "/m/calibration.jsonl",
      "--samples=8",
      "--sequence-length=32",
      "--master=local[2]",
      "--json"
    };
    assertThat(run(text, "evaluate", root + "/m", output).out()).contains("\"kl\"");
  }

  @Test
  void s3WithoutAFileSystemOfItsOwnIsReadAsS3a() throws IOException {
    s3.upload(model, "s3a://names/plain");
    String hash = run(RTN, "compress", "s3a://names/plain", "s3a://names/by-s3a").line();
    assertThat(run(RTN, "compress", "s3://names/plain", "s3://names/by-s3").line()).isEqualTo(hash);
    assertThat(run(new String[0], "verify", "s3://names/by-s3a").line()).isEqualTo(hash);
    assertThat(
            run(new String[] {"--statistics", "--master=local[2]"}, "inspect", "s3://names/plain")
                .err())
        .contains("tensors");
  }

  @Test
  void aListThatIsLate() throws IOException {
    s3.upload(SampleFiles.FOLDER, "s3a://names/late");
    String hash = run(RTN, "compress", "s3a://names/late", shared + "/late").line();
    // The second is the end of tokenizer_config.json too, which the output has.
    for (String end : List.of("model-00002-of-00002.safetensors", "config.json")) {
      s3.proxy().unlist(end);
      try {
        assertThat(run(RTN, "compress", "s3a://names/late", shared + "/late" + end).line())
            .as(end)
            .isEqualTo(hash);
      } finally {
        s3.proxy().unlist("");
      }
    }
  }

  @Test
  void markersOfFolders() throws IOException {
    s3.upload(model, "s3a://names/marked/model");
    for (String marker :
        List.of(
            "marked/",
            "marked/model/",
            "marked/model/sub_$folder$",
            "marked/out/",
            "marked/work/")) {
      s3.put("names/" + marker);
    }
    String[] options = {
      "--algorithm=gptq",
      "--master=local[2]",
      "--samples=8",
      "--sequence-length=32",
      "--work=s3a://names/marked/work"
    };
    String hash = run(GPTQ, "compress", model.toString(), shared + "/unmarked").line();
    assertThat(
            run(options, "compress", "s3a://names/marked/model", "s3a://names/marked/out").line())
        .isEqualTo(hash);
    assertThat(run(new String[0], "verify", "s3a://names/marked/out").line()).isEqualTo(hash);
    assertThat(run(new String[] {"--keep=1"}, "gc", "s3a://names/marked/work").out())
        .contains("kept");
  }
}
