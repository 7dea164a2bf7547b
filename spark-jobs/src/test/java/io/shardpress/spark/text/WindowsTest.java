package io.shardpress.spark.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowsTest {
  private static final Path SAMPLE = Path.of("..", "samples", "sample-llama");
  private static final Path STORIES = Path.of("..", "samples", "stories260K");
  private static final Configuration CONF = new Configuration(false);

  private static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }

  private static TokenizerFile sample() {
    return TokenizerFile.load(hadoop(SAMPLE), CONF);
  }

  /** Ids that other people's tokenizers gave for a model trained by others. */
  @ParameterizedTest
  @CsvSource({"calibration,128", "heldout,96"})
  void equalsTheReferenceIds(String text, int count) throws IOException {
    int[] expected = npy(STORIES.resolve(text + "-" + count + "x256.npy"));
    try (TokenizerFile tokenizer = TokenizerFile.load(hadoop(STORIES), CONF)) {
      Windows windows =
          Windows.read(
              hadoop(STORIES.resolve(text + ".jsonl")), "text", tokenizer, 512, count, 256, CONF);
      assertThat(flat(windows)).isEqualTo(expected);
      assertThat(windows.warning()).isEmpty();
    }
  }

  private static int[] npy(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = bytes.getShort(8);
    bytes.position(10 + header);
    int[] ids = new int[bytes.remaining() / Integer.BYTES];
    bytes.asIntBuffer().get(ids);
    return ids;
  }

  private static int[] flat(Windows windows) {
    return IntStream.range(0, windows.count()).flatMap(w -> IntStream.of(windows.ids(w))).toArray();
  }

  /** Any cut of any documents is a prefix of all their tokens. */
  @Test
  void windowsAreThePrefixOfAllTokens() throws IOException {
    ByteLevelBpe oracle = new ByteLevelBpe(SAMPLE.resolve("tokenizer.json"));
    Random random = new Random(11);
    try (TokenizerFile tokenizer = sample()) {
      for (int round = 0; round < 60; round++) {
        List<String> documents = new ArrayList<>();
        for (int n = 1 + random.nextInt(20); n > 0; n--) {
          documents.add("the stone box ".repeat(1 + random.nextInt(30)));
        }
        int[] all = documents.stream().flatMapToInt(d -> IntStream.of(oracle.encode(d))).toArray();
        int length = 1 + random.nextInt(40);
        int count = 1 + random.nextInt(60);
        int expected = Math.min(count, all.length / length);
        if (expected < Math.min(count, Windows.FEWEST)) {
          continue;
        }
        Windows windows = Windows.cut(documents.iterator(), "t", tokenizer, 768, count, length);
        assertThat(flat(windows))
            .isEqualTo(IntStream.of(all).limit((long) expected * length).toArray());
        assertThat(windows.warning().isPresent()).isEqualTo(expected < count);
      }
    }
  }

  @Test
  void readingStopsWhenTheWindowsAreFull() {
    Iterator<String> endless =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public String next() {
            return "again and again";
          }
        };
    try (TokenizerFile tokenizer = sample()) {
      assertThat(Windows.cut(endless, "t", tokenizer, 768, 20, 16).count()).isEqualTo(20);
    }
  }

  @Test
  void theFingerprintIsOverCountLengthAndIds() throws Exception {
    try (TokenizerFile tokenizer = sample()) {
      List<String> text = List.of("the stone box and the kite ".repeat(40));
      Windows windows = Windows.cut(text.iterator(), "t", tokenizer, 768, 9, 7);
      ByteBuffer bytes = ByteBuffer.allocate(4 * (2 + 63)).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(9).putInt(7);
      IntStream.of(flat(windows)).forEach(bytes::putInt);
      byte[] sha = java.security.MessageDigest.getInstance("SHA-256").digest(bytes.array());
      assertThat(windows.fingerprint()).isEqualTo(java.util.HexFormat.of().formatHex(sha));
      assertThat(windows.fingerprint())
          .isNotEqualTo(Windows.cut(text.iterator(), "t", tokenizer, 768, 7, 9).fingerprint());
    }
  }

  @Test
  void textThatIsEmptyOrTooShortIsRefused(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("t.jsonl");
    try (TokenizerFile tokenizer = sample()) {
      Files.writeString(file, "\n\n{\"text\": \"\"}\n");
      assertThatThrownBy(() -> Windows.read(hadoop(file), "text", tokenizer, 768, 9, 4, CONF))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("t.jsonl is empty");
      Files.writeString(file, "{\"text\": \"x y z\"}\n");
      int tokens = tokenizer.encode("x y z").length;
      assertThatThrownBy(() -> Windows.read(hadoop(file), "text", tokenizer, 768, 9, 4, CONF))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(
              "has "
                  + tokens
                  + " tokens, "
                  + tokens / 4
                  + " windows of 4; want at least 8 windows");
    }
  }

  @Test
  void aTokenizerLargerThanTheVocabularyIsRefused() {
    try (TokenizerFile tokenizer = sample()) {
      byte[] text = "the stone box".repeat(100).getBytes(StandardCharsets.UTF_8);
      List<String> documents = List.of(new String(text, StandardCharsets.UTF_8));
      assertThatThrownBy(() -> Windows.cut(documents.iterator(), "t", tokenizer, 200, 9, 4))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("vocabulary has 200 tokens and the tokenizer's 768");
    }
  }
}
