package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.PrivilegedExceptionAction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.apache.hadoop.security.UserGroupInformation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What storage refuses is told in one line that names it; nothing is published. */
@ExtendWith(Servers.class)
class StorageErrorsTest {
  @TempDir static Path shared;

  private static HdfsCluster hdfs;
  private static S3Server s3;
  private static Path model;

  @BeforeAll
  static void start(HdfsCluster cluster, S3Server server) throws IOException {
    hdfs = cluster;
    s3 = server;
    model = SmallModel.write(shared.resolve("model"));
  }

  @AfterEach
  void mend() {
    s3.proxy().reset(Faults.NONE);
  }

  private static CommandRun compress(String from, String to, String... more) {
    List<String> words = new ArrayList<>(List.of("compress", from, to, "--algorithm=rtn"));
    words.add("--master=local[2]");
    words.addAll(s3.options());
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  private static void refused(CommandRun run, int code, String... parts) {
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
    assertThat(run.errors()).singleElement().asString().contains(parts).doesNotContain("\tat ");
    assertThat(run.err()).doesNotContain(S3Server.ACCESS_KEY, S3Server.SECRET_KEY);
  }

  @Test
  void noSuchBucket() throws IOException {
    refused(compress(model.toString(), "s3a://absent/out"), 1, "s3a://absent: ", "bucket");
    refused(compress("s3a://absent/m", shared.resolve("o").toString()), 1, "s3a://absent: ");
    assertThat(shared.resolve("o")).doesNotExist();
    String work = "--work=s3a://absent-too/work";
    refused(
        compress(model.toString(), shared.resolve("o").toString(), work), 1, "s3a://absent-too");
    assertThat(shared.resolve("o")).doesNotExist();
  }

  @Test
  void nothingInTheBucket() {
    s3.bucket("empty");
    refused(compress("s3a://empty/m", "s3a://empty/out"), 1, "s3a://empty/m: no such folder");
  }

  @Test
  void nobodyListens() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    String endpoint = "--conf=spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:" + port;
    long start = System.nanoTime();
    refused(compress(model.toString(), "s3a://unheard/out", endpoint), 1, "s3a://unheard: ");
    // A hang is what this is about: minutes, with the settings that S3A has by itself.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
  }

  @Test
  void accessDenied() throws IOException {
    s3.bucket("denied");
    s3.proxy().reset(new Faults(0, 0, "/denied/out/", 0));
    refused(compress(model.toString(), "s3a://denied/out"), 1, "s3a://denied/out", "Denied");
    // Also where it begins in the midst of a run.
    s3.proxy().reset(new Faults(0, 0, "/denied/out/model.safetensors", 0));
    refused(
        compress(model.toString(), "s3a://denied/out"),
        1,
        "s3a://denied/out/model.safetensors: cannot write",
        "Denied");
    assertThat(s3.objects("s3a://denied/out"))
        .isNotEmpty()
        .allMatch(name -> name.startsWith(".shardpress/"));
    // And what is there goes on once it is allowed.
    s3.proxy().reset(Faults.NONE);
    assertThat(compress(model.toString(), "s3a://denied/out").line()).hasSize(64);
  }

  @Test
  void diskFull() throws IOException {
    DistributedFileSystem fileSystem = hdfs.fileSystem();
    org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path("/full");
    fileSystem.mkdirs(folder);
    // HDFS reserves a whole block as it begins one, and three of them as it keeps copies. By
    // another name the client is another one, too,
    // with blocks of its own size.
    String blocks = "--conf=spark.hadoop.dfs.blocksize=" + (1 << 20);
    String output = hdfs.uri().replace("127.0.0.1", "localhost") + "/full/out";
    fileSystem.setQuota(folder, HdfsConstants.QUOTA_DONT_SET, 4_500_000);
    // Room for the shard, of 1.0 MB, and not for the files around it.
    String work = "--work=" + shared.resolve("work");
    CommandRun run = compress(model.toString(), output, blocks, work);
    refused(run, 1, "/full/out", "quota", "exceeded");
    assertThat(names(fileSystem, "/full/out"))
        .as(run.err())
        .contains("model.safetensors")
        .doesNotContain("shardpress.json");
    fileSystem.delete(new org.apache.hadoop.fs.Path("/full/out"), true);
    // Not even room for the parts of two tasks at once.
    refused(compress(model.toString(), output, blocks), 1, "/full/out", "quota", "exceeded");
    assertThat(names(fileSystem, "/full/out")).containsExactly(".shardpress");
    // With room it goes on.
    fileSystem.setQuota(folder, HdfsConstants.QUOTA_DONT_SET, HdfsConstants.QUOTA_RESET);
    assertThat(compress(model.toString(), output, blocks).line()).hasSize(64);
  }

  private static List<String> names(FileSystem fileSystem, String folder) throws IOException {
    return Arrays.stream(fileSystem.listStatus(new org.apache.hadoop.fs.Path(folder)))
        .map(status -> status.getPath().getName())
        .toList();
  }

  @Test
  void notOurs() throws Exception {
    DistributedFileSystem fileSystem = hdfs.fileSystem();
    org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path("/theirs");
    fileSystem.mkdirs(folder);
    fileSystem.setPermission(folder, new FsPermission("755"));
    UserGroupInformation nobody =
        UserGroupInformation.createUserForTesting("nobody", new String[] {"nogroup"});
    CommandRun run =
        nobody.doAs(
            (PrivilegedExceptionAction<CommandRun>)
                () -> compress(model.toString(), hdfs.uri() + "/theirs/out"));
    refused(run, 1, "/theirs", "Permission denied", "nobody");
    assertThat(fileSystem.listStatus(folder)).isEmpty();
  }

  @Test
  void credentialsInAUri() {
    String secret = S3Server.SECRET_KEY;
    for (String uri :
        List.of(
            "s3a://" + S3Server.ACCESS_KEY + ":" + secret + "@bucket/m",
            "s3a://" + S3Server.ACCESS_KEY + ":sl/" + secret + "@bucket/m",
            "s3a://" + S3Server.ACCESS_KEY + "@bucket/m",
            "hdfs://me:" + secret + "@host:8020/m")) {
      refused(compress(uri, shared.resolve("o").toString()), 2, "credentials", "core-site.xml");
      refused(compress(model.toString(), uri), 2, "credentials");
      refused(CommandRun.of("verify", uri), 2, "credentials");
      refused(CommandRun.of("verify", "a", uri), 2, "unknown argument");
    }
    refused(CommandRun.of("verify", "a", "--conf", secret), 2, "--conf wants KEY=VALUE");
  }

  @Test
  void noConnector() {
    refused(compress("gs://bucket/m", "s3a://x/o"), 1, "gs://bucket/m", "no file system for gs://");
    // Another word for s3a:// where no file system of EMR's is installed.
    refused(compress("s3://bucket/m", "s3a://x/o"), 1, "s3://bucket: cannot use this bucket");
  }
}
