package io.shardpress.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.block.LinearStatistics;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** report/layers.jsonl: a line for each quantized linear, in the order of the input. */
final class LayerTable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private LayerTable() {}

  /**
   * The table.
   *
   * @param statistics by module
   */
  static byte[] of(CompressionPlan plan, Map<String, LinearStatistics> statistics) {
    StringBuilder lines = new StringBuilder();
    for (PlanEntry entry : plan.entries()) {
      if (entry.choice() != null) {
        lines.append(line(entry, statistics.get(entry.module()))).append('\n');
      }
    }
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String line(PlanEntry entry, LinearStatistics statistics) {
    TensorPlace place = TensorPlace.of(entry.tensor().tensor());
    WeightScheme scheme = entry.choice().group().weights();
    ObjectNode line = JSON.createObjectNode();
    line.put("module", entry.module());
    if (place.layer().isPresent()) {
      line.put("block", place.layer().getAsInt());
    }
    line.put("role", place.role());
    line.put("out", entry.out());
    line.put("in", entry.in());
    line.put("algorithm", entry.choice().modifier().kind().algorithm());
    line.put("scheme", entry.choice().group().schemeName());
    line.put("group_size", scheme.groupSize());
    if (scheme.order() != ActOrder.NONE) {
      line.put("actorder", scheme.order().word());
    }
    if (scheme.outliers()) {
      line.put("outliers", statistics.outliers());
    }
    Modifier modifier = entry.choice().modifier();
    if (modifier.kind() == ModifierKind.LRQ) {
      line.put("rank", LrqSettings.of(modifier).rank(entry.out(), entry.in()));
    }
    line.put("bits", PlanEntry.bits(List.of(entry)));
    boolean chosen =
        TensorPlace.linear(entry.tensor().tensor())
            .filter(role -> role.expert() != LinearRole.NONE && role.expert() != LinearRole.SHARED)
            .isPresent();
    if (chosen && modifier.kind().learnsFromActivations()) {
      CalibrationTokens tokens = statistics.tokens().orElseThrow();
      line.put("calibration_tokens", tokens.count());
      line.put("calibrated_on_all_tokens", tokens.all());
    }
    line.put("weight_error", statistics.error().relative());
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON can be written", e);
    }
  }
}
