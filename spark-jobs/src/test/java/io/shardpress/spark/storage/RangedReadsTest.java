package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An object store is asked for the bytes that are wanted, and hardly more. */
@ExtendWith(Servers.class)
class RangedReadsTest {
  // Ranges closer than this are read as one; less than it is read ahead.
  private static final long SLACK_BYTES = 128 << 10;

  private static S3Server s3;
  private static Checkpoint checkpoint;
  private static Map<String, SampleFiles.Tensor> expected;

  @BeforeAll
  static void upload(S3Server server) throws IOException {
    s3 = server;
    s3.bucket("ranges");
    s3.upload(SampleFiles.FOLDER, "s3a://ranges/m");
    checkpoint = Checkpoint.open("s3a://ranges/m", s3.configuration());
    expected = SampleFiles.tensors();
  }

  @AfterEach
  void mend() {
    s3.proxy().reset(Faults.NONE);
  }

  private static long bytesAskedFor() {
    List<Request> gets =
        s3.proxy().requests().stream()
            .filter(request -> request.target().contains(".safetensors"))
            .filter(request -> request.method().equals("GET"))
            .toList();
    assertThat(gets).allMatch(get -> get.rangeLength() > 0);
    return gets.stream().mapToLong(Request::rangeLength).sum();
  }

  private static List<TensorRef> block(int number) {
    return checkpoint.tensors().stream()
        .filter(tensor -> tensor.tensor().startsWith("model.layers." + number + "."))
        .toList();
  }

  private static void readBlocks(int... numbers) throws IOException {
    Configuration configuration = s3.configuration();
    try (TensorReader reader = new TensorReader(configuration)) {
      for (int number : numbers) {
        List<TensorRef> tensors = block(number);
        assertThat(tensors).hasSizeGreaterThan(8);
        List<float[]> values = reader.readFloats(tensors);
        for (int i = 0; i < tensors.size(); i++) {
          assertThat(values.get(i)).isEqualTo(expected.get(tensors.get(i).tensor()).bf16());
        }
      }
    }
  }

  @Test
  void tensorsOfABlock() throws IOException {
    s3.proxy().reset(Faults.NONE);
    readBlocks(1);
    long wanted = block(1).stream().mapToLong(TensorRef::length).sum();
    assertThat(bytesAskedFor()).isBetween(wanted, wanted + SLACK_BYTES);
  }

  @Test
  void rangesThatBreakAreReadAgain() throws IOException {
    s3.proxy().reset(new Faults(0.1, 0.4, "", 3));
    readBlocks(0, 1, 2, 3, 4, 5);
    assertThat(s3.proxy().cut()).isGreaterThan(2);
  }

  @Test
  void rowsOfAnEmbedding() throws IOException {
    TensorRef table = checkpoint.find("model.embed_tokens.weight").orElseThrow();
    float[] all = expected.get(table.tensor()).bf16();
    int columns = (int) table.columns();
    int last = (int) table.rows() - 1;
    int[] rows = {0, 5, 6, 7, last / 2, last};
    s3.proxy().reset(Faults.NONE);
    try (TensorReader reader = new TensorReader(s3.configuration())) {
      float[] read = reader.readRows(table, rows);
      for (int i = 0; i < rows.length; i++) {
        assertThat(Arrays.copyOfRange(read, i * columns, (i + 1) * columns))
            .isEqualTo(Arrays.copyOfRange(all, rows[i] * columns, (rows[i] + 1) * columns));
      }
    }
    // Rows 0 to 7 at once, and two more.
    assertThat(bytesAskedFor()).isEqualTo(10L * 2 * columns);
  }
}
