package io.shardpress.schemas.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.fuzz.ByteDamage;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.JsonDamage;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged headers: each is read as {@link HeaderOracle} reads it, or rejected where that rejects
 * it, in one line.
 */
class HeaderFuzzTest {
  private static final String FILE = "f.safetensors";
  private static final List<Dtype> DTYPES = List.of(Dtype.values());

  /**
   * @param start of the file: length, header and perhaps more
   * @param length of the whole file
   */
  record Start(byte[] start, long length) {}

  @Test
  void damagedHeadersAreReadByTheFormatsRulesOrRejected() throws Exception {
    int cases = Fuzz.cases(6000, 120_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Headers());
    // Some damage must be harmless and most must not, or the damage was of the wrong kind.
    assertThat(tally.accepted()).isGreaterThan(cases / 50);
    assertThat(tally.refused()).isGreaterThan(cases / 2);
  }

  private static final class Headers implements FuzzSubject<Start, SafetensorsHeader> {
    private final byte[] sample;
    private final long sampleData;

    Headers() throws IOException {
      byte[] file =
          Files.readAllBytes(Path.of("../samples/sample-llama/model-00002-of-00002.safetensors"));
      int header = 8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
      sample = Arrays.copyOfRange(file, 8, header);
      sampleData = (long) file.length - header;
    }

    @Override
    public Start make(Random random) {
      boolean small = random.nextInt(3) > 0;
      String text = small ? small(random) : new String(sample, StandardCharsets.UTF_8);
      byte[] json = text.getBytes(StandardCharsets.UTF_8);
      long data = small ? dataBytes(json) : sampleData;
      if (random.nextInt(3) > 0) {
        Json good = StrictJsonReading.read(json, false).orElseThrow();
        String damaged = new JsonDamage(random).damage(good).write();
        json = damaged.getBytes(StandardCharsets.UTF_8);
      }
      if (random.nextInt(3) == 0) {
        json = new ByteDamage(random).damage(json);
      }
      byte[] start =
          ByteBuffer.allocate(8 + json.length)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(json.length)
              .put(json)
              .array();
      if (random.nextInt(8) == 0) {
        start[random.nextInt(8)] = (byte) random.nextInt(256);
      }
      if (random.nextInt(20) == 0) {
        start = Arrays.copyOf(start, random.nextInt(start.length));
      }
      long length = start.length + data + (random.nextInt(6) == 0 ? random.nextInt(9) - 4 : 0);
      return new Start(start, Math.max(start.length, length));
    }

    /** A good header of few tensors of any dtype, empty ones and scalars among them. */
    private static String small(Random random) {
      List<String> entries = new ArrayList<>();
      long at = 0;
      for (int i = random.nextInt(5); i >= 0; i--) {
        Dtype dtype = DTYPES.get(random.nextInt(DTYPES.size()));
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (int side = random.nextInt(4); side > 0; side--) {
          shape.add((long) random.nextInt(5) * (side == 1 ? 4 : 1));
          elements *= shape.get(shape.size() - 1);
        }
        long bits = elements * dtype.bits();
        if (bits % 8 != 0) {
          continue;
        }
        entries.add(
            String.format(
                Locale.ROOT,
                "\"t%d\":{%s\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
                i,
                random.nextInt(4) == 0 ? "\"unknown\":[0,\"u\",{\"v\":1}]," : "",
                dtype,
                shape,
                at,
                at + bits / 8));
        at += bits / 8;
      }
      if (random.nextBoolean()) {
        entries.add("\"__metadata__\":{\"format\":\"pt\"}");
      }
      return "{" + String.join(",", entries) + "}" + " ".repeat(random.nextInt(3));
    }

    private static long dataBytes(byte[] json) {
      Json.Mapping header = (Json.Mapping) StrictJsonReading.read(json, false).orElseThrow();
      long end = 0;
      for (Json.Entry entry : header.entries()) {
        Json offsets = ((Json.Mapping) entry.value()).get("data_offsets");
        if (offsets instanceof Json.Array pair) {
          end = Math.max(end, Long.parseLong(((Json.Scalar) pair.elements().get(1)).text()));
        }
      }
      return end;
    }

    @Override
    public long bytes(Start input) {
      return input.start().length;
    }

    @Override
    public String show(Start input) {
      return input.length() + " bytes: " + new String(input.start(), StandardCharsets.ISO_8859_1);
    }

    @Override
    public SafetensorsHeader read(Start input) {
      byte[] prefix = Arrays.copyOf(input.start(), Math.min(8, input.start().length));
      int length = SafetensorsHeader.headerLength(FILE, input.length(), prefix);
      if (length > input.start().length - 8) {
        // The header would go on into the data: zeros here, as text no JSON.
        throw new CheckpointException(FILE + ": beyond what this test holds");
      }
      byte[] json = Arrays.copyOfRange(input.start(), 8, 8 + length);
      return SafetensorsHeader.parse(FILE, input.length(), json);
    }

    @Override
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof CheckpointException;
    }

    @Override
    public void accepted(Start input, SafetensorsHeader header) {
      Optional<List<HeaderOracle.Tensor>> wanted = HeaderOracle.read(input.start(), input.length());
      assertThat(wanted).as("what the format allows").isPresent();
      List<HeaderOracle.Tensor> found =
          header.tensors().stream()
              .map(
                  tensor ->
                      new HeaderOracle.Tensor(
                          tensor.name(),
                          tensor.dtype().name(),
                          tensor.shape().stream().map(BigInteger::valueOf).toList(),
                          BigInteger.valueOf(tensor.begin()),
                          BigInteger.valueOf(tensor.end())))
              .toList();
      assertThat(found).isEqualTo(wanted.get());
      long n = ByteBuffer.wrap(input.start()).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertThat(header.dataStart()).isEqualTo(8 + n);
    }

    @Override
    public void refused(Start input, Throwable refusal) {
      assertThat(refusal).hasMessageStartingWith(FILE + ": ");
      // Limits of ours alone: on depth, and on the digits of a number.
      if (!refusal.getMessage().contains("exceeds the maximum allowed")) {
        assertThat(HeaderOracle.read(input.start(), input.length()))
            .as("what the format allows, refused by: %s", refusal.getMessage())
            .isEmpty();
      }
    }
  }
}
