package io.shardpress.schemas.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardIndexTest {
  @Test
  void writesWhatPythonWritesAndReadsIt() {
    ShardIndex index =
        new ShardIndex(OptionalLong.of(5), new TreeMap<>(Map.of("b", "2.safetensors", "a", "1")));
    // json.dumps(index, indent=2, sort_keys=True) + "\n", the separators of Jackson aside.
    assertThat(new String(index.write(), StandardCharsets.UTF_8).replace("\" :", "\":"))
        .isEqualTo(
            """
            {
              "metadata": {
                "total_size": 5
              },
              "weight_map": {
                "a": "1",
                "b": "2.safetensors"
              }
            }
            """);
    assertThat(ShardIndex.parse("i", index.write())).isEqualTo(index);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-5", "5.5", "1e30", "9223372036854775808", "\"5\"", "null", "[5]"})
  void passesOverTotalsThatAreNoCountOfBytes(String size) {
    assertThat(parse("{\"metadata\":{\"total_size\":" + size + "},\"weight_map\":{}}").totalSize())
        .isEmpty();
  }

  @Test
  void takesTotalsInFloatingPoint() {
    assertThat(parse("{\"metadata\":{\"total_size\":5.0e9},\"weight_map\":{}}").totalSize())
        .hasValue(5_000_000_000L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"../x\"",
        "\"..\"",
        "\"a/b\"",
        "\"a\\\\b\"",
        "\"/etc/x\"",
        "\"\"",
        "\".\"",
        "7",
        "null",
        "\"file:x\"",
        "\"a..b\"",
        "\"a\\u0000\""
      })
  void rejectsShardsOutsideTheFolder(String shard) {
    assertThatThrownBy(() -> parse("{\"weight_map\":{\"t\":" + shard + "}}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("i.json: tensor t: found file " + shard);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"weight_map\":[]}",
        "{\"weight_map\":{\"t\":\"a\",\"t\":\"b\"}}",
        "{\"weight_map\":{}}x",
        "{\"weight_map\":{}"
      })
  void rejectsWhatIsNoIndex(String json) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("i.json: ");
  }

  private static ShardIndex parse(String json) {
    return ShardIndex.parse("i.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
