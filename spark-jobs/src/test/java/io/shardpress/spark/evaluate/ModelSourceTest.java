package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSourceTest {
  private static final WeightScheme SCHEME = new WeightScheme(4, false, 8);
  private static final String UP = "model.layers.0.mlp.up_proj";

  private final Configuration configuration = new Configuration();

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "4,true,8",
    "4,false,8",
    "4,false,0",
    "3,false,4",
    "3,true,0",
    "2,false,8",
    "8,false,4"
  })
  void packedWeightsAreReadByTheirDefinition(int bits, boolean symmetric, int group)
      throws IOException {
    packedWeightsAre(new TinyPackedModel(new WeightScheme(bits, symmetric, group)));
  }

  private void packedWeightsAre(TinyPackedModel model) throws IOException {
    model.write(folder);
    ModelSource source = open();
    try (TensorReader reader = new TensorReader(configuration)) {
      for (LinearRole role : LinearRole.SEPARATE) {
        WeightSource linear = source.blocks().get(0).linears().get(role);
        assertThat(linear.read(reader))
            .containsExactly(model.weights.get("model.layers.0." + role.module()));
      }
      float[] head = model.weights.get("lm_head");
      for (int row = 0; row < TinyPackedModel.VOCABULARY; row += WeightSource.ROW_MULTIPLE) {
        int rows = Math.min(WeightSource.ROW_MULTIPLE, TinyPackedModel.VOCABULARY - row);
        int width = TinyPackedModel.HIDDEN;
        assertThat(source.head().rows(reader, row, rows))
            .containsExactly(Arrays.copyOfRange(head, row * width, (row + rows) * width));
      }
    }
  }

  /**
   * By weight_g_idx, as compressed-tensors defines it: column i has the scale of group g_idx[i].
   */
  @ParameterizedTest
  @CsvSource({"4,true,8", "4,false,8", "3,false,4", "8,true,4"})
  void groupsOutOfOrderAreReadByTheirIndex(int bits, boolean symmetric, int group)
      throws IOException {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group).withOrder(ActOrder.GROUP);
    packedWeightsAre(new TinyPackedModel(scheme));
  }

  /** Beside the integers, by row-major place: (q − zero)·scale + outlier. */
  @ParameterizedTest
  @CsvSource({"4,true,8", "3,false,0"})
  void outliersAreAddedWhereTheyBelong(int bits, boolean symmetric, int group) throws IOException {
    packedWeightsAre(
        new TinyPackedModel(new WeightScheme(bits, symmetric, group).withOutliers(true)));
  }

  @Test
  void outliersThatCannotBeAreNamed() throws IOException {
    WeightScheme scheme = SCHEME.withOutliers(true);
    String indices = UP + ".weight_outlier_indices";
    String values = UP + ".weight_outlier_values";
    for (int wrong : new int[] {-1, 72 * 40, 3}) {
      TinyPackedModel model = new TinyPackedModel(scheme);
      ByteBuffer places =
          ByteBuffer.wrap(model.data.get(indices)).order(ByteOrder.LITTLE_ENDIAN).putInt(4, 3);
      places.putInt(8, wrong);
      assertUnreadable(
          model, indices + ": found place " + wrong + " at [2], wanted 4 to 2879, each once");
    }
    TinyPackedModel infinite = new TinyPackedModel(scheme);
    ByteBuffer.wrap(infinite.data.get(values))
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(0, Float.POSITIVE_INFINITY);
    assertUnreadable(infinite, values + ": found Infinity at [0, 0]");
    refused(scheme, m -> m.remove(indices), indices + ": found no such tensor");
    refused(scheme, m -> m.remove(values), values + ": found no such tensor, wanted one of shape");
    refused(
        scheme, m -> m.zeros(indices, Dtype.I64, 3L), indices + ": found dtype I64, wanted I32");
    refused(
        scheme, m -> m.zeros(indices, Dtype.I32, 3L, 1L), indices + ": found shape [3, 1], wanted");
    refused(scheme, m -> m.zeros(values, Dtype.F32, 1L), values + ": found shape [1], wanted");
    refused(
        m -> m.zeros(indices, Dtype.I32, 0L),
        indices + ": found it, wanted none by the format pack-quantized");
  }

  @Test
  void groupsThatCannotBeAreNamed() throws IOException {
    for (int wrong : new int[] {-1, 5, 0}) {
      TinyPackedModel model = new TinyPackedModel(SCHEME.withOrder(ActOrder.GROUP));
      ByteBuffer index =
          ByteBuffer.wrap(model.data.get(UP + ".weight_g_idx")).order(ByteOrder.LITTLE_ENDIAN);
      int at = 0;
      while (index.getInt(4 * at) == wrong) {
        at++;
      }
      index.putInt(4 * at, wrong);
      assertUnreadable(
          model,
          UP
              + ".weight_g_idx: found "
              + (wrong == 0
                  ? "9 columns of group 0, wanted 8"
                  : "group " + wrong + " at [" + at + "], wanted 0 to 4"));
    }
  }

  @Test
  void whatTheHeadersSayWrongIsNamed() throws IOException {
    refused(m -> m.remove(UP + ".weight_packed"), UP + ".weight_packed: found no such tensor");
    refused(
        m -> m.remove(UP + ".weight_scale"), "found no such tensor, wanted one of shape [72, 5]");
    refused(
        m -> m.zeros(UP + ".weight_packed", Dtype.I32, 72L, 4L),
        "found shape [72, 4], wanted [72, 5]");
    refused(m -> m.zeros(UP + ".weight_packed", Dtype.U32, 72L, 5L), "found dtype U32, wanted I32");
    refused(
        m -> m.zeros(UP + ".weight_scale", Dtype.F8_E4M3, 72L, 5L),
        "found dtype F8_E4M3, wanted F32, F16 or BF16");
    refused(
        m -> m.zeros(UP + ".weight_zero_point", Dtype.I32, 8L, 5L),
        "found shape [8, 5], wanted [9, 5]");
    refused(
        m -> m.zeros(UP + ".weight_g_idx", Dtype.I32, 40L),
        UP + ".weight_g_idx: found it, wanted none: by config.json actorder is null");
    refused(
        m -> {
          m.remove(UP + ".weight_packed");
          m.zeros(UP + ".weight", Dtype.F32, 72L, 40L);
        },
        "found it in full precision, wanted " + UP + ".weight_packed");
    refused(m -> m.remove("model.norm.weight"), "model.norm.weight: found no such tensor");
  }

  @Test
  void whatTheConfigSaysWrongIsNamed() throws IOException {
    refused(m -> quantization(m).put("quant_method", "bnb"), "quant_method: found \"bnb\"");
    refused(m -> quantization(m).put("format", "int-quantized"), "wanted pack-quantized");
    refused(m -> quantization(m).putArray("ignore").add(UP), "no group of quantization_config");
    refused(m -> weights(m).put("symmetric", true), "config.json says symmetric");
    refused(m -> weights(m).put("num_bits", 5), "num_bits: found 5, wanted 2, 3, 4 or 8");
    refused(m -> weights(m).put("type", "float"), "symmetric: found false, wanted true");
    refused(m -> weights(m).put("type", "real"), "type: found \"real\", wanted int");
    refused(m -> weights(m).put("strategy", "tensor"), "strategy: found \"tensor\"");
    refused(m -> weights(m).put("group_size", 7), "found groups of 7, wanted a divisor of the 40");
    refused(m -> weights(m).put("actorder", "up"), "actorder: found \"up\"");
    refused(
        m -> weights(m).put("actorder", "group"),
        "weight_g_idx: found no such tensor, wanted one of shape [40]");
    refused(
        m -> weights(m).put("actorder", "group").put("strategy", "channel").putNull("group_size"),
        "actorder: found \"group\", wanted null or static per channel");
    refused(m -> m.config.put("model_type", "mamba"), "evaluate cannot run this model");
  }

  @Test
  void whatTheValuesSayWrongIsNamed() throws IOException {
    TinyPackedModel shape = new TinyPackedModel(SCHEME);
    shape.zeros(UP + ".weight_shape", Dtype.I64, 2L);
    assertUnreadable(shape, UP + ".weight_shape: found [0, 0], wanted [72, 40]");
    TinyPackedModel scale = new TinyPackedModel(SCHEME);
    ByteBuffer.wrap(scale.data.get(UP + ".weight_scale"))
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(4 * 11, Float.NaN);
    assertUnreadable(scale, UP + ".weight_scale: found NaN at [2, 1]");
  }

  private void assertUnreadable(TinyPackedModel model, String message) throws IOException {
    model.write(folder);
    BlockSource block = open().blocks().get(0);
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThatThrownBy(() -> block.load(reader))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(message);
    }
  }

  private interface Damage {
    void to(TinyPackedModel model);
  }

  private void refused(Damage damage, String message) throws IOException {
    refused(SCHEME, damage, message);
  }

  private void refused(WeightScheme scheme, Damage damage, String message) throws IOException {
    TinyPackedModel model = new TinyPackedModel(scheme);
    damage.to(model);
    model.write(folder);
    assertThatThrownBy(this::open)
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  private ModelSource open() {
    return ModelSource.of(Checkpoint.open(folder.toString(), configuration));
  }

  private static ObjectNode quantization(TinyPackedModel model) {
    return (ObjectNode) model.config.get("quantization_config");
  }

  private static ObjectNode weights(TinyPackedModel model) {
    return (ObjectNode) quantization(model).at("/config_groups/group_0/weights");
  }
}
