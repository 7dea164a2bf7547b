package io.shardpress.spark.datasource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.spark.io.SampleFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.Statistics;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.util.ArrowUtils;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsSourceTest {
  private static SparkSession spark;

  private final Map<String, SampleFiles.Tensor> wanted = SampleFiles.tensors();

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .config("spark.kryo.registrationRequired", "true")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @AfterEach
  void everyTaskGaveItsMemoryBack() {
    assertThat(ArrowUtils.rootAllocator().getAllocatedMemory()).isZero();
    assertThat(ArrowUtils.rootAllocator().getChildAllocators()).isEmpty();
  }

  private static Dataset<Row> table(String tileBytes) {
    return spark
        .read()
        .format("safetensors")
        .option("tileBytes", tileBytes)
        .load(SampleFiles.FOLDER.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"4k", "10000", "100k", "64m"})
  void tilesPutTogetherAreTheFilesBytes(String tileBytes) {
    Map<String, ByteArrayOutputStream> data = new TreeMap<>();
    Map<String, Long> rows = new TreeMap<>();
    Dataset<Row> table = table(tileBytes);
    for (Row row : table.collectAsList()) {
      String name = row.getAs("tensor");
      SampleFiles.Tensor tensor = wanted.get(name);
      byte[] tile = row.getAs("data");
      assertThat(row.<List<Long>>getList(row.fieldIndex("shape"))).isEqualTo(tensor.shape());
      assertThat(row.<String>getAs("shard")).isEqualTo(tensor.shard());
      assertThat(row.<String>getAs("dtype")).isEqualTo(tensor.dtype());
      assertThat(row.<Long>getAs("row_start")).isEqualTo(rows.getOrDefault(name, 0L));
      int count = row.getAs("row_count");
      long rowBytes = tensor.bytes().length / tensor.shape().get(0);
      assertThat((long) tile.length).isEqualTo(rowBytes * count);
      assertThat(tile.length).isLessThanOrEqualTo((int) Math.max(rowBytes, bytes(tileBytes)));
      rows.merge(name, (long) count, Long::sum);
      data.computeIfAbsent(name, n -> new ByteArrayOutputStream()).writeBytes(tile);
    }
    assertThat(data).containsOnlyKeys(wanted.keySet());
    data.forEach((name, all) -> assertThat(all.toByteArray()).isEqualTo(wanted.get(name).bytes()));
    assertThat(dataBytesRead(table))
        .isEqualTo(wanted.values().stream().mapToLong(t -> t.bytes().length).sum());
  }

  @Test
  void withoutTheColumnNoDataAreRead() {
    Dataset<Row> names = table("4k").select("role", "layer", "tensor", "row_count");
    assertThat(names.collectAsList()).hasSizeGreaterThan(wanted.size());
    assertThat(dataBytesRead(names)).isZero();
    Map<String, Long> rows = new TreeMap<>();
    for (Row row : names.collectAsList()) {
      rows.merge(row.getString(2), (long) row.getInt(3), Long::sum);
    }
    assertThat(rows)
        .isEqualTo(
            wanted.values().stream()
                .collect(Collectors.toMap(SampleFiles.Tensor::name, t -> t.shape().get(0))));
    assertThat(table("64m").count()).isEqualTo(wanted.size());
  }

  @Test
  void filtersPruneBeforeAnyByteIsRead() {
    String name = "model.layers.4.mlp.down_proj.weight";
    Dataset<Row> one = table("64m").filter("tensor = '" + name + "'");
    assertThat(one.collectAsList())
        .singleElement()
        .extracting(row -> row.getAs("role"))
        .isEqualTo("down");
    assertThat(dataBytesRead(one)).isEqualTo(wanted.get(name).bytes().length);
    Dataset<Row> none = table("64m").filter("dtype = 'F32'");
    assertThat(none.collectAsList()).isEmpty();
    assertThat(dataBytesRead(none)).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "layer = 3",
        "3 < layer",
        "layer >= 2 and layer < 4",
        "layer in (0, 5)",
        "layer not in (0, 5)",
        "layer is null",
        "layer is not null and role like 'q%'",
        "not (layer = 3)",
        "not (layer = 3 or shard > 'model-00001')",
        "layer <> 1 or tensor like '%norm%'",
        "tensor like 'model.layers.1.%'",
        "tensor > 'model.layers.3' and tensor <= 'model.layers.5'",
        "role = 'gate' and dtype in ('BF16', 'F16')",
        "dtype <> 'BF16'",
        "shard like '%00002-of%'",
        "layer in (1, null)",
        "layer not in (1, null)",
        "row_start > 0 and layer = 2",
        "layer + 1 = 3",
        "length(tensor) > 36 or layer = 1",
        "layer <=> null",
        "tensor = role",
      })
  void filtersGiveWhatSparkAloneGives(String condition) {
    // The same rows as a plain local table, on which Spark evaluates every filter itself.
    Dataset<Row> all = table("64k").drop("data", "shape");
    Dataset<Row> plain = spark.createDataFrame(all.collectAsList(), all.schema());
    assertThat(all.filter(condition).collectAsList())
        .containsExactlyInAnyOrderElementsOf(plain.filter(condition).collectAsList());
  }

  @Test
  void simpleFiltersLeaveNothingToSpark() {
    List<String> conditions =
        List.of(
            "layer = 3",
            "tensor like 'model.layers.1.%'",
            "dtype in ('BF16','F32')",
            "shard > 'a'");
    for (String condition : conditions) {
      String plan = plan(table("64m").filter(condition)).toString();
      assertThat(plan).contains("BatchScan").doesNotContain("Filter (");
    }
  }

  @Test
  void sqlAggregatesOverTheTable() {
    table("16k").createOrReplaceTempView("weights");
    List<Row> rows =
        spark
            .sql(
                "select layer, sum(length(data)) from weights where role = 'up' group by layer"
                    + " order by layer")
            .collectAsList();
    List<String> found = new ArrayList<>();
    rows.forEach(row -> found.add(row.getInt(0) + ":" + row.getLong(1)));
    // Six blocks of [512, 256] in two bytes each.
    assertThat(found)
        .containsExactly("0:262144", "1:262144", "2:262144", "3:262144", "4:262144", "5:262144");
  }

  /** What the optimizer is told of a query: rows, and bytes of the columns that it asks for. */
  @Test
  void sizesAreKnownBeforeAnythingIsRead() {
    Dataset<Row> data = table("64m").select("layer", "data").filter("layer = 3");
    long bytes = 0;
    long rows = 0;
    for (SampleFiles.Tensor tensor : wanted.values()) {
      if (tensor.name().startsWith("model.layers.3.")) {
        bytes += tensor.bytes().length + Integer.BYTES;
        rows++;
      }
    }
    assertThat(statistics(data).sizeInBytes().toLong()).isEqualTo(bytes);
    assertThat(statistics(data).rowCount().get().toLong()).isEqualTo(rows);

    Dataset<Row> names = table("64m").select("tensor", "shape", "row_start");
    long text = 0;
    for (SampleFiles.Tensor tensor : wanted.values()) {
      text += tensor.name().length() + 8 * tensor.shape().size() + 8;
    }
    assertThat(statistics(names).sizeInBytes().toLong()).isEqualTo(text);
  }

  private static Statistics statistics(Dataset<Row> query) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) query)
        .queryExecution()
        .optimizedPlan()
        .collectLeaves()
        .head()
        .stats();
  }

  /** Options may come with a query, after the table was made. */
  @Test
  void aQuerysOptionsStandBeforeTheTables() {
    SafetensorsTable table =
        (SafetensorsTable)
            new SafetensorsSource()
                .getTable(
                    WeightTableType.SCHEMA,
                    new Transform[0],
                    Map.of("path", SampleFiles.FOLDER.toString(), "tileBytes", "64m"));
    assertThat(tiles(table, Map.of())).isEqualTo(wanted.size());
    assertThat(tiles(table, Map.of("TILEBYTES", "4k")))
        .isEqualTo(table("4k").count())
        .isGreaterThan(wanted.size());
    assertThatThrownBy(() -> tiles(table, Map.of("tileBytes", "1k")))
        .isInstanceOf(UsageException.class);
  }

  private static long tiles(SafetensorsTable table, Map<String, String> query) {
    TileScan scan = (TileScan) table.newScanBuilder(new CaseInsensitiveStringMap(query)).build();
    return scan.estimateStatistics().numRows().getAsLong();
  }

  @Test
  void rejectsBadOptionsAndBadFiles(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() -> table("1k"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("tileBytes: found 1k, wanted 4k");
    assertThatThrownBy(() -> table("much"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("found much");
    assertThatThrownBy(() -> spark.read().format("safetensors").load())
        .isInstanceOf(UsageException.class);
    SampleFiles.copy(folder);
    SampleFiles.truncate(folder.resolve(SampleFiles.SHARDS.get(0)), 1000);
    assertThatThrownBy(() -> spark.read().format("safetensors").load(folder.toString()).collect())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(SampleFiles.SHARDS.get(0));
  }

  private static long bytes(String text) {
    return JavaUtils.byteStringAsBytes(text);
  }

  private static SparkPlan plan(Dataset<Row> query) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) query).queryExecution().executedPlan();
  }

  private static long dataBytesRead(Dataset<Row> query) {
    return plan(query).collectLeaves().head().metrics().apply("dataBytesRead").value();
  }
}
