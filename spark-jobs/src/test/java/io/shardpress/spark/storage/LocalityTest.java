package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.DigestStep;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.LocalSpark;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.FileHosts;
import io.shardpress.spark.io.FileSlice;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.Partition;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.TaskLocation;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Tasks prefer the hosts where the blocks of their files lie, on a real HDFS that knows them. */
@ExtendWith(Servers.class)
class LocalityTest {
  private static final String[] HOSTS = {"red.test", "green.test", "blue.test"};
  private static final int BLOCK_BYTES = 1 << 20;

  @TempDir static Path shared;

  private static HdfsCluster hdfs;
  private static Configuration configuration;
  private JavaSparkContext spark;

  @BeforeAll
  static void start() throws IOException {
    Servers.quiet();
    Configuration small = new Configuration();
    small.setInt("dfs.blocksize", BLOCK_BYTES);
    hdfs = HdfsCluster.start(small, HOSTS);
    configuration = new Configuration();
    Path model = SmallModel.write(shared.resolve("model"));
    // A model of two shards, one on each of two hosts.
    for (int shard = 0; shard < 2; shard++) {
      hdfs.write(
          "/model/model-0000" + (shard + 1) + "-of-00002.safetensors", shard(shard), shard + 1);
    }
    for (String name : List.of("config.json", "tokenizer.json")) {
      hdfs.write("/model/" + name, Files.readAllBytes(model.resolve(name)), 0);
    }
    hdfs.write("/model/model.safetensors.index.json", index(), 0);
  }

  /** Half of the sample's blocks, or what is left. */
  private static byte[] shard(int shard) throws IOException {
    Path file = shared.resolve("shard" + shard);
    SafetensorsWriter.write(
        file,
        SampleFiles.tensors().values().stream().filter(t -> shardOf(t.name()) == shard).toList());
    return Files.readAllBytes(file);
  }

  private static int shardOf(String tensor) {
    return tensor.matches("model\\.layers\\.[0-2]\\..*") ? 0 : 1;
  }

  private static byte[] index() {
    StringBuilder map = new StringBuilder();
    SampleFiles.tensors()
        .keySet()
        .forEach(
            name ->
                map.append(map.isEmpty() ? "" : ", ")
                    .append('"')
                    .append(name)
                    .append("\": \"model-0000" + (shardOf(name) + 1) + "-of-00002.safetensors\""));
    return ("{\"metadata\": {}, \"weight_map\": {" + map + "}}").getBytes(StandardCharsets.UTF_8);
  }

  @AfterAll
  static void stop() {
    hdfs.close();
  }

  @AfterEach
  void stopSpark() {
    if (spark != null) {
      spark.stop();
    }
  }

  /** The hosts that tasks of stages prefer, as Spark's scheduler has them. */
  private static final class Preferred extends SparkListener {
    final List<List<String>> hosts = new ArrayList<>();

    @Override
    public synchronized void onStageSubmitted(SparkListenerStageSubmitted stage) {
      for (Seq<TaskLocation> task :
          CollectionConverters.asJava(stage.stageInfo().taskLocalityPreferences())) {
        hosts.add(CollectionConverters.asJava(task).stream().map(TaskLocation::host).toList());
      }
    }

    synchronized List<List<String>> take() {
      return List.copyOf(hosts);
    }
  }

  private StepRunner runner(String store) {
    spark = LocalSpark.open(1);
    return new StepRunner(spark, RunSettings.ofThisProcess("run", store), () -> {});
  }

  private List<List<String>> preferred(Runnable job) throws Exception {
    Preferred preferred = new Preferred();
    spark.sc().addSparkListener(preferred);
    job.run();
    spark.sc().listenerBus().waitUntilEmpty();
    spark.sc().removeSparkListener(preferred);
    return preferred.take();
  }

  /** Reads a part of its own and one that all have. */
  private record Reader(PartKey own, PartKey common) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("reader", 1);
    }

    @Override
    public Reads reads() {
      return Reads.parts(own, common);
    }

    @Override
    public void run(TaskEnvironment environment) {}
  }

  @Test
  void tasksPreferTheHostsOfTheirWeights() throws Exception {
    StepRunner runner = runner(shared.resolve("work").toUri().toString());
    Checkpoint checkpoint = Checkpoint.open(hdfs.uri() + "/model", configuration);
    // One task for each shard.
    assertThat(preferred(() -> Digests.of(checkpoint, runner)))
        .containsExactlyInAnyOrder(List.of(HOSTS[1]), List.of(HOSTS[2]));
  }

  @Test
  void tasksPreferTheHostsOfTheirPartsAndNotOfWhatAllRead() throws Exception {
    StepRunner runner = runner(hdfs.uri() + "/work");
    List<PartKey> parts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      PartKey key = PartKey.of("part").add("number", i).build();
      try (PartWriter writer = runner.store().write(key)) {
        writer.addFloats("x", List.of(1L, 4L), 0, 1, new float[4], 0);
        writer.commit();
      }
      byte[] bytes;
      try (InputStream in =
          hdfs.fileSystem().open(new org.apache.hadoop.fs.Path(runner.store().uri(key)))) {
        bytes = in.readAllBytes();
      }
      hdfs.write(
          new org.apache.hadoop.fs.Path(runner.store().uri(key)).toUri().getPath(), bytes, i);
      parts.add(key);
    }
    List<Reader> two =
        List.of(new Reader(parts.get(0), parts.get(2)), new Reader(parts.get(1), parts.get(2)));
    assertThat(preferred(() -> runner.run("reads", Where.MODEL, two)))
        .containsExactly(List.of(HOSTS[0]), List.of(HOSTS[1]));
    // Alone it goes where either lies.
    assertThat(preferred(() -> runner.run("reads", Where.MODEL, two.subList(0, 1))))
        .containsExactly(List.of(HOSTS[2], HOSTS[0]));
  }

  @Test
  void localFilesAndObjectStoresHaveNone(S3Server s3) throws Exception {
    Path file =
        Files.write(
            Files.createDirectories(shared.resolve("folder")).resolve("local"), new byte[100]);
    FileHosts hosts = new FileHosts(s3.configuration());
    assertThat(hosts.of(List.of(FileSlice.whole(file.toUri().toString())))).isEmpty();
    s3.bucket("locality");
    s3.upload(file.getParent(), "s3a://locality");
    s3.proxy().reset(Faults.NONE);
    assertThat(hosts.of(List.of(FileSlice.whole("s3a://locality/local")))).isEmpty();
    assertThat(s3.proxy().requests()).isEmpty();

    StepRunner runner = runner(shared.resolve("work2").toUri().toString());
    DigestStep step =
        new DigestStep(
            new CheckpointFile("local", file.toUri().toString(), 100, 0, ""),
            List.of(new DigestStep.FileTensor("t", Dtype.F32, List.of(25L), 0, 100)));
    assertThat(preferred(() -> runner.run("digests", Where.MODEL, List.of(step))))
        .containsExactly(List.of());
  }

  @Test
  void hostsAreThoseOfMostBytes() throws Exception {
    hdfs.write("/red", new byte[3000], 0);
    hdfs.write("/green", new byte[2000], 1);
    hdfs.write("/blue", new byte[4000], 2);
    String red = hdfs.uri() + "/red";
    String green = hdfs.uri() + "/green";
    String blue = hdfs.uri() + "/blue";
    FileHosts hosts = new FileHosts(configuration);
    assertThat(
            hosts.of(
                List.of(
                    new FileSlice(red, 0, 3000),
                    new FileSlice(green, 0, 2000),
                    new FileSlice(blue, 3990, 10))))
        .containsExactly(HOSTS[0], HOSTS[1], HOSTS[2]);
    assertThat(hosts.of(List.of(new FileSlice(red, 2999, 1), FileSlice.whole(green))))
        .containsExactly(HOSTS[1], HOSTS[0]);
    assertThat(hosts.of(List.of(new FileSlice(red, 3000, 1)))).isEmpty();
    assertThat(hosts.of(List.of(FileSlice.whole(hdfs.uri() + "/nowhere")))).isEmpty();
  }

  /** Of the DataSource: partitions whose data are read; names come from headers. */
  @Test
  void partitionsOfTheTablePreferTheHostsOfTheirTiles() {
    spark = LocalSpark.open(1);
    SparkSession session = SparkSession.builder().sparkContext(spark.sc()).getOrCreate();
    Dataset<Row> table = session.read().format("safetensors").load(hdfs.uri() + "/model");
    assertThat(preferred(table.select("shard", "data")))
        .containsExactlyInAnyOrder(List.of(HOSTS[1]), List.of(HOSTS[2]));
    assertThat(preferred(table.select("shard"))).containsExactly(List.of());
  }

  /** What the partitions of a query's scan prefer. */
  private static List<List<String>> preferred(Dataset<Row> query) {
    RDD<?> rdd = ((org.apache.spark.sql.classic.Dataset<Row>) query).queryExecution().toRdd();
    while (!rdd.dependencies().isEmpty()) {
      rdd = rdd.dependencies().head().rdd();
    }
    List<List<String>> preferred = new ArrayList<>();
    for (Partition partition : rdd.partitions()) {
      preferred.add(CollectionConverters.asJava(rdd.preferredLocations(partition)));
    }
    return preferred;
  }
}
