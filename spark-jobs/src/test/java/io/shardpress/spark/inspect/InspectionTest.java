package io.shardpress.spark.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.UsageException;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.TensorRef;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

class InspectionTest {
  private final Checkpoint checkpoint =
      Checkpoint.open(SampleFiles.FOLDER.toString(), new Configuration());

  @Test
  void patternsAreGlobsOrRegularExpressions() {
    assertThat(count("*")).isEqualTo(checkpoint.tensors().size());
    assertThat(count("model.layers.?.mlp.up_proj.weight")).isEqualTo(6);
    assertThat(count("model.norm.weight")).isEqualTo(1);
    assertThat(count("model.norm")).isZero();
    assertThat(count("re:model\\.layers\\.(1|2)\\.self_attn")).isEqualTo(8);
    assertThat(count("re:layers")).isZero();
    assertThatThrownBy(() -> TensorPattern.of("re:("))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("pattern re:( is no regular expression: ");
  }

  @Test
  void statisticsAreThoseOfTheFilesValues() throws IOException {
    List<TensorRef> chosen = Inspection.select(checkpoint, TensorPattern.of("*.1.*"));
    Map<String, ValueSummary> summaries;
    try (SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .config("spark.kryo.registrationRequired", "true")
            .getOrCreate()) {
      summaries = Inspection.statistics(spark, checkpoint, chosen);
    }
    Map<String, SampleFiles.Tensor> wanted = SampleFiles.tensors();
    assertThat(summaries).hasSize(9);
    summaries.forEach(
        (name, summary) -> {
          double sum = 0;
          double squares = 0;
          float absMax = 0;
          float[] values = wanted.get(name).bf16();
          for (float value : values) {
            sum += value;
            squares += (double) value * value;
            absMax = Math.max(absMax, Math.abs(value));
          }
          double mean = sum / values.length;
          double deviation = Math.sqrt(squares / values.length - mean * mean);
          assertThat(summary.count()).isEqualTo(values.length);
          assertThat(summary.absMax()).isEqualTo(absMax);
          assertThat(summary.mean()).isCloseTo(mean, within(1e-12));
          assertThat(summary.standardDeviation()).isCloseTo(deviation, within(1e-9));
        });
  }

  private int count(String pattern) {
    return Inspection.select(checkpoint, TensorPattern.of(pattern)).size();
  }
}
