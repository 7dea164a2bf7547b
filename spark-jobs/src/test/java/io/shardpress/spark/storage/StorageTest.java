package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Models, outputs, part stores, recipes and texts on any file system give the same bytes. */
@ExtendWith(Servers.class)
class StorageTest {
  private static final String[] GPTQ = {
    "--algorithm=gptq", "--master=local[2]", "--samples=64", "--sequence-length=32"
  };
  private static final String[] MASTER = {"--master=local[2]"};
  private static final int MULTIPART_BYTES = 5 << 20;

  /** Of an upload's pieces. */
  private static final int SIGNATURE_BYTES = 64 << 10;

  @TempDir static Path shared;

  private static HdfsCluster hdfs;
  private static S3Server s3;
  private static Path model;
  private static String gptqHash;

  @BeforeAll
  static void start(HdfsCluster cluster, S3Server server) throws IOException {
    hdfs = cluster;
    s3 = server;
    s3.proxy().reset(Faults.NONE);
    model = SmallModel.write(shared.resolve("model"));
    CommandRun run = run(GPTQ, "compress", model.toString(), shared.resolve("gptq").toString());
    gptqHash = run.line();
  }

  private static CommandRun run(String[] options, String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of(options));
    all.addAll(s3.options());
    CommandRun run = CommandRun.of(all.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out() + run.err()).doesNotContain(S3Server.ACCESS_KEY, S3Server.SECRET_KEY);
    return run;
  }

  /** Nothing on an object store is ever renamed, which is done by copies there. */
  private static void assertNoCopies() {
    assertThat(s3.proxy().requests())
        .isNotEmpty()
        .noneMatch(request -> request.has("x-amz-copy-source"));
  }

  @Test
  void fromHdfsToS3() throws IOException {
    s3.bucket("from-hdfs");
    Folders.copy(SampleFiles.FOLDER, hdfs.uri() + "/sample", new Configuration());
    // Most is copied, so that the shard is larger than a part of an upload.
    Path recipe =
        Files.writeString(
            shared.resolve("recipe.yaml"),
            "QuantizationModifier: {scheme: W8A16, targets: ['re:.*layers.0.*']}\n");
    Folders.copy(recipe.getParent(), hdfs.uri() + "/recipes", new Configuration());
    String[] more = {
      "--master=local[2]",
      "--conf=spark.hadoop.fs.s3a.multipart.size=" + MULTIPART_BYTES,
      "--conf=spark.hadoop.fs.s3a.multipart.threshold=" + MULTIPART_BYTES
    };
    s3.proxy().reset(Faults.NONE);
    CommandRun run =
        run(
            more,
            "compress",
            hdfs.uri() + "/sample",
            "s3a://from-hdfs/out",
            "--recipe=" + hdfs.uri() + "/recipes/recipe.yaml");
    assertNoCopies();
    List<Request> uploads =
        s3.proxy().requests().stream()
            .filter(request -> request.method().equals("PUT"))
            .filter(request -> request.target().contains("/out/model.safetensors"))
            .toList();
    assertThat(uploads)
        .hasSizeGreaterThan(1)
        .allMatch(request -> request.target().contains("uploadId="))
        .allMatch(request -> request.contentLength() <= MULTIPART_BYTES + SIGNATURE_BYTES);

    Path local = shared.resolve("local");
    String hash =
        run(more, "compress", SampleFiles.FOLDER.toString(), local.toString(), "--recipe=" + recipe)
            .line();
    assertThat(run.line()).isEqualTo(hash);
    assertThat(run(new String[0], "verify", "s3a://from-hdfs/out").line()).isEqualTo(hash);
    List<String> files = new ArrayList<>();
    new JsonMapper()
        .readTree(Files.readAllBytes(local.resolve("shardpress.json")))
        .get("files")
        .forEach(file -> files.add(file.get("path").asText()));
    files.add("shardpress.json");
    assertThat(s3.objects("s3a://from-hdfs/out")).containsExactlyInAnyOrderElementsOf(files);
  }

  @Test
  void fromS3ToHdfs() throws IOException {
    s3.bucket("to-hdfs");
    s3.upload(model, "s3a://to-hdfs/model");
    CommandRun run =
        run(
            GPTQ,
            "compress",
            "s3a://to-hdfs/model",
            hdfs.uri() + "/out",
            "--work=s3a://to-hdfs/work",
            "--calibration=" + SampleFiles.FOLDER.resolve("calibration.jsonl").toUri());
    assertThat(run.line()).isEqualTo(gptqHash);
    assertNoCopies();
    // The store outlives the run, and serves the next.
    assertThat(s3.objects("s3a://to-hdfs/work")).allMatch(name -> name.matches("(parts|runs)/.*"));
    CommandRun again =
        run(
            GPTQ,
            "compress",
            "s3a://to-hdfs/model",
            "s3a://to-hdfs/again",
            "--work=s3a://to-hdfs/work");
    assertThat(again.err()).contains("learners 0.0 CPU s");
    assertThat(again.line()).isEqualTo(gptqHash);

    String[] text = {
      "--text=s3a://to-hdfs/model/calibration.jsonl",
      "--samples=8",
      "--sequence-length=32",
      "--master=local[2]",
      "--json"
    };
    String[] localText = text.clone();
    localText[0] = "--text=" + model.resolve("calibration.jsonl");
    assertThat(run(text, "evaluate", "s3a://to-hdfs/model", hdfs.uri() + "/out").out())
        .isEqualTo(
            run(localText, "evaluate", model.toString(), shared.resolve("gptq").toString()).out());
    assertThat(run(new String[0], "inspect", "s3a://to-hdfs/model").out())
        .isEqualTo(run(new String[0], "inspect", model.toString()).out());
  }

  @Test
  void bothFormatsAndTheirDenseModel() throws IOException {
    s3.bucket("formats");
    Folders.copy(model, hdfs.uri() + "/formats/model", new Configuration());
    String[] formats = {
      "--algorithm=rtn",
      "--master=local[2]",
      "--group-size=32",
      "--format=compressed-tensors",
      "--format=gguf"
    };
    Path local = shared.resolve("formats");
    String hash = run(formats, "compress", model.toString(), local.toString()).line();
    String onS3 = "s3a://formats/out";
    assertThat(run(formats, "compress", hdfs.uri() + "/formats/model", onS3).line())
        .isEqualTo(hash);
    assertThat(s3.objects(onS3)).contains("model-Q4_0.gguf");

    String dense =
        run(MASTER, "decompress", local.toString(), shared.resolve("dense").toString()).line();
    assertThat(run(MASTER, "decompress", onS3, hdfs.uri() + "/formats/dense").line())
        .isEqualTo(dense);
    s3.proxy().reset(Faults.NONE);
    assertThat(run(MASTER, "decompress", onS3, "s3a://formats/dense").line()).isEqualTo(dense);
    assertNoCopies();
  }

  @Test
  void anUnreliableStoreGivesTheSameBytes() throws IOException {
    s3.bucket("unreliable");
    s3.upload(model, "s3a://unreliable/model");
    s3.proxy().reset(new Faults(0.05, 0.02, "", 11));
    try {
      CommandRun run = run(GPTQ, "compress", "s3a://unreliable/model", "s3a://unreliable/out");
      assertThat(run.line()).isEqualTo(gptqHash);
      assertThat(s3.proxy().refused()).isGreaterThan(10);
      assertThat(s3.proxy().cut()).isGreaterThan(0);
    } finally {
      s3.proxy().reset(Faults.NONE);
    }
    assertThat(run(new String[0], "verify", "s3a://unreliable/out").line()).isEqualTo(gptqHash);
  }

  @Test
  void aFinishedCheckpointOnS3IsReplacedWhenAsked() throws IOException {
    s3.bucket("replaced");
    String[] rtn = {"--algorithm=rtn", "--master=local[2]", "--overwrite"};
    String first = run(rtn, "compress", model.toString(), "s3a://replaced/out").line();
    s3.proxy().reset(Faults.NONE);
    CommandRun second =
        run(rtn, "compress", model.toString(), "s3a://replaced/out", "--scheme=W8A16");
    assertNoCopies();
    assertThat(second.line()).hasSize(64).isNotEqualTo(first);
    assertThat(run(new String[0], "verify", "s3a://replaced/out").line()).isEqualTo(second.line());
    assertThat(s3.objects("s3a://replaced/out")).noneMatch(name -> name.contains(".shardpress"));
  }
}
