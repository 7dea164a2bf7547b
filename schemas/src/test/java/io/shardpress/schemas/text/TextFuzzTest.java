package io.shardpress.schemas.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.fuzz.ByteDamage;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.Json.Mapping;
import io.shardpress.schemas.fuzz.Json.Scalar;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Texts with marks, all kinds of line ends, glued and damaged rows: read whole, or rejected. */
class TextFuzzTest {
  @Test
  void rowsAreReadWholeOrRejected() throws Exception {
    int cases = Fuzz.cases(3000, 50_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Rows());
    assertThat(tally.accepted()).isGreaterThan(cases / 10);
    assertThat(tally.refused()).isGreaterThan(cases / 4);
  }

  @Test
  void plainTextsAreReadWholeOrRejected() throws Exception {
    int cases = Fuzz.cases(3000, 50_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Plain());
    assertThat(tally.accepted()).isGreaterThan(cases / 4);
    assertThat(tally.refused()).isGreaterThan(cases / 20);
  }

  /** The bytes of a text; damage may be anywhere. */
  private abstract static class Texts<T> implements FuzzSubject<byte[], T> {
    private static final List<String> ROWS =
        List.of(
            "{\"text\":\"a\"}",
            "{\"id\":1,\"text\":\"b é🙂\\n\"}",
            "{\"text\":\"\\ud83d\\ude00 \\u00e9\",\"meta\":{\"x\":[1,2.5e3,null,true]}}",
            "{\"text\":\"half \\ud83d\"}",
            "{\"text\":null}",
            "null",
            "",
            "  \t",
            "{\"text\":\"a\"}{\"text\":\"b\"}",
            "{\"text\":\"a\",\"text\":\"b\"}",
            "[1]",
            "{\"text\":NaN}",
            "{\"text\":\"\ufeff in the text\"}");
    private static final List<String> ENDS = List.of("\n", "\n", "\r\n", "\r", "\n\n");
    private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

    @Override
    public byte[] make(Random random) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      for (int row = random.nextInt(6); row >= 0; row--) {
        if (random.nextInt(4) == 0) {
          text.writeBytes(MARK);
        }
        int most = random.nextInt(4) == 0 ? ROWS.size() : 3;
        text.writeBytes(ROWS.get(random.nextInt(most)).getBytes(StandardCharsets.UTF_8));
        if (row > 0 || random.nextInt(3) > 0) {
          text.writeBytes(ENDS.get(random.nextInt(ENDS.size())).getBytes(StandardCharsets.UTF_8));
        }
      }
      byte[] bytes = text.toByteArray();
      return random.nextInt(3) == 0 ? new ByteDamage(random).damage(bytes) : bytes;
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
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof CheckpointException;
    }

    /** The whole text, or nothing where bytes are no UTF-8: by what encoding it again gives. */
    static Optional<String> text(byte[] bytes) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      return Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)
          ? Optional.of(text)
          : Optional.empty();
    }

    static String unmarked(String text) {
      return text.startsWith("\ufeff") ? text.substring(1) : text;
    }
  }

  private static final class Rows extends Texts<List<JsonNode>> {
    @Override
    public List<JsonNode> read(byte[] input) {
      List<JsonNode> rows = new ArrayList<>();
      try (TextLines lines = new TextLines("t", new ByteArrayInputStream(input))) {
        for (String line = lines.next(); line != null; line = lines.next()) {
          if (!line.isBlank()) {
            JsonNode row = JsonRow.parse("t, line " + lines.number(), line);
            if (row.path("text").isTextual()) {
              JsonRow.text("t, line " + lines.number(), row.path("text"));
            }
            rows.add(row);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return rows;
    }

    /** Lines cut by hand, each a whole value by another reader of JSON. */
    private static Optional<List<Json>> wanted(byte[] input) {
      Optional<String> text = text(input);
      List<Json> rows = new ArrayList<>();
      if (text.isEmpty()) {
        return Optional.empty();
      }
      for (String line : text.get().split("\r\n|\r|\n", -1)) {
        String row = unmarked(line);
        if (!row.isBlank()) {
          Optional<Json> json = StrictJsonReading.read(row.getBytes(StandardCharsets.UTF_8), true);
          if (json.isEmpty() || half(json.get())) {
            return Optional.empty();
          }
          rows.add(json.get());
        }
      }
      return Optional.of(rows);
    }

    private static boolean half(Json row) {
      return row instanceof Mapping object
          && object.get("text") instanceof Scalar text
          && text.text().startsWith("\"")
          && !StandardCharsets.UTF_8.newEncoder().canEncode(StrictJsonReading.string(text.text()));
    }

    @Override
    public void accepted(byte[] input, List<JsonNode> rows) {
      Optional<List<Json>> wanted = wanted(input);
      assertThat(wanted).as("rows by another reader").isPresent();
      assertThat(rows).hasSameSizeAs(wanted.get());
      for (int i = 0; i < rows.size(); i++) {
        Json other = wanted.get().get(i);
        assertThat(rows.get(i).isObject()).isEqualTo(other instanceof Mapping);
        if (other instanceof Mapping object && object.get("text") instanceof Scalar text) {
          JsonNode found = rows.get(i).get("text");
          assertThat(found.isTextual()).isEqualTo(text.text().startsWith("\""));
          if (found.isTextual()) {
            assertThat(found.asText()).isEqualTo(StrictJsonReading.string(text.text()));
          }
        }
      }
    }

    @Override
    public void refused(byte[] input, Throwable refusal) {
      assertThat(wanted(input)).as("rows by another reader").isEmpty();
    }
  }

  private static final class Plain extends Texts<String> {
    @Override
    public String read(byte[] input) {
      try (TextLines lines = new TextLines("t", new ByteArrayInputStream(input))) {
        return lines.whole();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void accepted(byte[] input, String found) {
      Optional<String> text = text(input);
      assertThat(text).isPresent();
      assertThat(found).isEqualTo(String.join("\n", unmarked(text.get()).split("\r\n|\r|\n", -1)));
    }

    @Override
    public void refused(byte[] input, Throwable refusal) {
      assertThat(text(input)).isEmpty();
    }
  }
}
