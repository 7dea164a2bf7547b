package io.shardpress.schemas.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.fuzz.ByteDamage;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.Json.Mapping;
import io.shardpress.schemas.fuzz.Json.Scalar;
import io.shardpress.schemas.fuzz.JsonDamage;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Damaged indexes: each is read as the file's JSON says, or rejected in one line. */
class IndexFuzzTest {
  @Test
  void damagedIndexesAreReadAsTheyAreWrittenOrRejected() throws Exception {
    int cases = Fuzz.cases(3000, 50_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Indexes());
    assertThat(tally.accepted()).isGreaterThan(cases / 20);
    assertThat(tally.refused()).isGreaterThan(cases / 4);
  }

  private static final class Indexes implements FuzzSubject<byte[], ShardIndex> {
    private static final String SMALL =
        "{\"metadata\":{\"total_size\":5},\"weight_map\":{\"a\":\"x\",\"b.c\":\"y.safetensors\"}}";

    private final byte[] sample =
        Files.readAllBytes(Path.of("../samples/sample-llama/" + ShardIndex.FILE_NAME));

    Indexes() throws IOException {}

    @Override
    public byte[] make(Random random) {
      byte[] json = random.nextInt(3) == 0 ? sample : SMALL.getBytes(StandardCharsets.UTF_8);
      if (random.nextInt(3) > 0) {
        Json good = StrictJsonReading.read(json, true).orElseThrow();
        json = new JsonDamage(random).damage(good).write().getBytes(StandardCharsets.UTF_8);
      }
      return random.nextInt(3) == 0 ? new ByteDamage(random).damage(json) : json;
    }

    @Override
    public long bytes(byte[] input) {
      return input.length;
    }

    @Override
    public String show(byte[] input) {
      return new String(input, StandardCharsets.ISO_8859_1);
    }

    @Override
    public ShardIndex read(byte[] input) {
      return ShardIndex.parse("i.json", input);
    }

    @Override
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof CheckpointException;
    }

    @Override
    public void accepted(byte[] input, ShardIndex index) {
      Optional<Json> json = StrictJsonReading.read(StrictJsonReading.unmarked(input), true);
      assertThat(json).as("JSON by another reader").isPresent();
      Mapping root = (Mapping) json.get();
      TreeMap<String, String> wanted = new TreeMap<>();
      for (Json.Entry entry : ((Mapping) root.get("weight_map")).entries()) {
        String text = ((Scalar) entry.value()).text();
        assertThat(text).startsWith("\"");
        wanted.put(StrictJsonReading.string(entry.key()), StrictJsonReading.string(text));
      }
      assertThat(index.weightMap()).isEqualTo(wanted);
      assertThat(index.weightMap().values())
          .noneMatch(name -> name.contains("/") || name.contains("\\") || name.contains(".."));
      assertThat(index.totalSize()).isEqualTo(totalSize(root));
    }

    /** A whole number of bytes, however it is written, or nothing. */
    private static OptionalLong totalSize(Mapping root) {
      if (root.get("metadata") instanceof Mapping metadata
          && metadata.get("total_size") instanceof Scalar size
          && size.text().matches("[0-9.eE+-]{1,400}")) {
        BigDecimal number = new BigDecimal(size.text());
        boolean integer = size.text().matches("-?[0-9]+");
        double most = integer ? Long.MAX_VALUE : 0x1p53;
        double value = number.doubleValue();
        boolean large = number.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0;
        if (value >= 0 && value <= most && value == Math.rint(value) && !large) {
          return OptionalLong.of(integer ? number.longValueExact() : (long) value);
        }
      }
      return OptionalLong.empty();
    }
  }
}
