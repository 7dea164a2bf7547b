package io.shardpress.schemas.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ManifestTest {
  private static final String HASH = "ab".repeat(32);

  private static Manifest sample() {
    return Manifest.of(
        "0.1.0",
        "cd".repeat(32),
        Map.of("started", "2026-01-01T00:00:00Z", "model", "file:/models/ä b"),
        List.of(
            new ManifestTensor(
                "m.weight",
                "model.safetensors",
                "BF16",
                List.of(8L, 16L),
                ManifestTensor.Action.QUANTIZE,
                null,
                List.of("m.weight_packed", "m.weight_scale")),
            new ManifestTensor(
                "rope.inv_freq",
                "model.safetensors",
                "F32",
                List.of(),
                ManifestTensor.Action.DROP,
                "computed from config.json",
                List.of())),
        List.of(
            new PublishedTensor(
                "m.weight_packed", "I32", List.of(8L, 2L), "model.safetensors", HASH)),
        List.of(new PublishedFile("model.safetensors", 1L << 40, HASH)));
  }

  @Test
  void readsBackEqual() {
    assertThat(Manifest.parse("x", sample().toJson())).isEqualTo(sample());
  }

  @Test
  void actionsStandInLowerCaseAndRunIsSorted() {
    assertThat(sample().toJson())
        .contains("\"action\": \"quantize\"", "\"action\": \"drop\"")
        .containsSubsequence("\"model\":", "\"started\":")
        .doesNotContain("null", "\r");
  }

  @Test
  void brokenOnesAreRefused() {
    String json = sample().toJson();
    for (String bad :
        List.of(
            "",
            "null",
            "[]",
            "{}",
            json.substring(0, json.length() / 2),
            json.replace("\"format\": 1", "\"format\": 9"),
            json.replace("\"action\": \"drop\"", "\"action\": \"burn\""))) {
      assertThatThrownBy(() -> Manifest.parse("out/shardpress.json", bad))
          .as(bad)
          .isInstanceOf(CheckpointException.class)
          .hasMessageStartingWith("out/shardpress.json: ")
          .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
    }
  }

  @Test
  void nothingIsDroppedWithoutAReason() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new ManifestTensor(
                    "a", "f", "F32", List.of(), ManifestTensor.Action.DROP, null, List.of()));
  }
}
