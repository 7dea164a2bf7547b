package io.shardpress.spark.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TensorTableTest {
  private static final List<TensorRef> TENSORS =
      List.of(
          new TensorRef("a.weight", Dtype.BF16, List.of(2L, 3L), "file:/m/x", 64, 12, "x"),
          new TensorRef("b", Dtype.I64, List.of(), "file:/m/yy", 64, 8, "yy"));

  @Test
  void columnsAreAsWideAsTheirCells() {
    assertThat(TensorTable.of(TENSORS).lines())
        .containsExactly(
            "tensor    dtype  shape  shard  bytes",
            "a.weight  BF16   [2x3]  x         12",
            "b         I64    []     yy         8");
  }

  @Test
  void integersHaveNoStatisticsAndWhatIsNotFiniteIsCounted() {
    ValueSummary summary =
        ValueSummary.of(new float[] {-1, 3, Float.NaN, 1, Float.NEGATIVE_INFINITY, 1});
    assertThat(TensorTable.of(TENSORS, Map.of("a.weight", summary)).lines())
        .containsExactly(
            "tensor    dtype  shape  shard  bytes      min     max    mean     std  not finite",
            "a.weight  BF16   [2x3]  x         12  -1.0000  3.0000  1.0000  1.4142           2",
            "b         I64    []     yy         8        -       -       -       -           -");
  }
}
