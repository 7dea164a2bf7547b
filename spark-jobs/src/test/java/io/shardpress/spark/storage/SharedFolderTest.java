package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Lease;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders on HDFS and S3 that several runs want: who has one, and what is cleared away there. */
@ExtendWith(Servers.class)
@SuppressWarnings("NonApiType")
class SharedFolderTest {
  @TempDir static java.nio.file.Path shared;

  private static S3Server s3;
  private static HdfsCluster hdfs;
  private static Configuration configuration;
  private static String model;

  @BeforeAll
  static void start(HdfsCluster cluster, S3Server server) throws IOException {
    hdfs = cluster;
    s3 = server;
    s3.proxy().reset(Faults.NONE);
    s3.bucket("shared");
    configuration = s3.configuration();
    model = SmallModel.write(shared.resolve("model")).toString();
  }

  private static Path folder(String where, String name) {
    return new Path((where.equals("hdfs") ? hdfs.uri() + "/shared/" : "s3a://shared/") + name);
  }

  private static CommandRun run(String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(s3.options());
    CommandRun run = CommandRun.of(all.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private static TreeSet<String> parts(Path work) throws IOException {
    FileSystem fileSystem = FileSystems.of(work, configuration);
    RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(new Path(work, "parts"), true);
    TreeSet<String> names = new TreeSet<>();
    while (files.hasNext()) {
      names.add(files.next().getPath().getName());
    }
    return names;
  }

  @ParameterizedTest
  @ValueSource(strings = {"hdfs", "s3"})
  void aFolderHasOneOwner(String where) throws IOException {
    Path lock = new Path(folder(where, "owned"), "lock");
    FileSystem fileSystem = FileSystems.of(lock, configuration);
    try (Lease first = Lease.take(lock, "OUTPUT", configuration)) {
      first.check();
      assertThatThrownBy(() -> Lease.take(lock, "OUTPUT", configuration))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("OUTPUT")
          .hasMessageContaining("process " + ProcessHandle.current().pid());
      first.check();
    }
    assertThat(fileSystem.exists(lock)).isFalse();
    Lease.take(lock, "OUTPUT", configuration).close();
    assertThat(fileSystem.exists(lock)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"hdfs", "s3"})
  void whatTheLastRunDoesNotUseIsRemoved(String where) throws IOException {
    Path work = folder(where, "work");
    String store = "--work=" + work;
    String rtn = "--algorithm=rtn";
    run("compress", model, shared.resolve(where + 1).toString(), store, rtn, "--master=local[2]");
    TreeSet<String> first = parts(work);
    String asked = "--group-size=64";
    String[] second = {
      "compress",
      model,
      shared.resolve(where + 2).toString(),
      store,
      rtn,
      asked,
      "--master=local[2]"
    };
    String hash = run(second).line();
    TreeSet<String> both = parts(work);
    assertThat(both).containsAll(first).hasSizeGreaterThan(first.size());

    CommandRun gc = run("gc", work.toString(), "--keep=1");
    TreeSet<String> left = parts(work);
    assertThat(gc.out()).startsWith("removed " + (both.size() - left.size()) + " parts");
    // Of the first run only the digests of the model's files serve the second too.
    TreeSet<String> common = new TreeSet<>(left);
    common.retainAll(first);
    assertThat(common).hasSize(1);
    assertThat(left).hasSize(both.size() - first.size() + 1);
    second[2] = shared.resolve(where + 3).toString();
    CommandRun again = run(second);
    assertThat(again.err()).contains("units run: none");
    assertThat(again.line()).isEqualTo(hash);
  }
}
