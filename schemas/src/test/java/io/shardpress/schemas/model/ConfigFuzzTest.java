package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Damaged configs and indexes of the sample are read or rejected in one line, nothing else. */
class ConfigFuzzTest {
  private static final int CASES = 3000;
  private static final Path FOLDER = Path.of("../samples/sample-llama");
  private static final List<String> VALUES =
      List.of("null", "-1", "0", "1e300", "NaN", "[]", "{}", "\"\"", "true", "2147483648", "7.5");

  private final Random random = new Random(11);

  @Test
  void damagedConfigsAreReadOrRejected() throws IOException {
    fuzz(
        FOLDER.resolve("config.json"),
        json -> ModelTensors.check("m", ModelConfig.parse("c", json), Map.of("x", List.of(1L))));
  }

  @Test
  void damagedIndexesAreReadOrRejected() throws IOException {
    fuzz(
        FOLDER.resolve(ShardIndex.FILE_NAME),
        json ->
            assertThat(ShardIndex.parse("c", json).weightMap().values())
                .noneMatch(name -> name.contains("/") || name.contains("..")));
  }

  private void fuzz(Path file, Consumer<byte[]> reader) throws IOException {
    byte[] good = Files.readAllBytes(file);
    int rejected = 0;
    for (int i = 0; i < CASES; i++) {
      byte[] json = random.nextBoolean() ? otherValue(good) : otherBytes(good);
      try {
        reader.accept(json);
      } catch (CheckpointException e) {
        assertThat(e.getMessage().lines().count()).isEqualTo(1);
        rejected++;
      }
    }
    assertThat(rejected).isGreaterThan(CASES / 4);
  }

  /** Another value after one of the colons: JSON that is well-formed and wrong. */
  private byte[] otherValue(byte[] good) {
    String text = new String(good, StandardCharsets.ISO_8859_1);
    int colon = text.indexOf(':', random.nextInt(text.length() * 9 / 10));
    int end = colon;
    while (end < text.length() && ",}\n".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    String value = VALUES.get(random.nextInt(VALUES.size()));
    String other = colon < 0 ? text : text.substring(0, colon + 1) + value + text.substring(end);
    return other.getBytes(StandardCharsets.ISO_8859_1);
  }

  private byte[] otherBytes(byte[] good) {
    byte[] json = good.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      json[random.nextInt(json.length)] = (byte) random.nextInt(256);
    }
    return random.nextInt(4) == 0 ? Arrays.copyOf(json, random.nextInt(json.length)) : json;
  }
}
