package io.shardpress.spark.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerFileTest {
  private static final Path SAMPLE = Path.of("..", "samples", "sample-llama");
  private static final Configuration CONF = new Configuration(false);

  private static TokenizerFile sample() {
    return TokenizerFile.load(new org.apache.hadoop.fs.Path(SAMPLE.toUri()), CONF);
  }

  @Test
  void equalsTheDefinitionOnTheSamplesText() throws IOException {
    ByteLevelBpe oracle = new ByteLevelBpe(SAMPLE.resolve("tokenizer.json"));
    try (TokenizerFile tokenizer = sample();
        Documents documents =
            Documents.open(
                new org.apache.hadoop.fs.Path(SAMPLE.resolve("heldout.jsonl").toUri()),
                "text",
                CONF)) {
      while (documents.hasNext()) {
        String text = documents.next();
        int[] ids = tokenizer.encode(text);
        assertThat(ids).as(text).isEqualTo(oracle.encode(text));
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "a",
        "  two  blanks ",
        "naïve 東京 🙂",
        "it's 12,5 %\n\n\tx",
        "\u0000\u007f"
      })
  void equalsTheDefinitionOnOddText(String text) throws IOException {
    ByteLevelBpe oracle = new ByteLevelBpe(SAMPLE.resolve("tokenizer.json"));
    try (TokenizerFile tokenizer = sample()) {
      assertThat(tokenizer.encode(text)).isEqualTo(oracle.encode(text));
    }
  }

  @Test
  void nothingIsCutOrPaddedWhateverTheFileSays() throws IOException {
    String json = Files.readString(SAMPLE.resolve("tokenizer.json"));
    assertThat(json).contains("\"truncation\"", "\"padding\"");
    String cutting =
        json.replaceFirst(
                "\"truncation\":\\s*null",
                "\"truncation\":{\"direction\":\"Right\",\"max_length\":4,\"strategy\":\"LongestFirst\",\"stride\":0}")
            .replaceFirst(
                "\"padding\":\\s*null",
                "\"padding\":{\"strategy\":{\"Fixed\":9},\"direction\":\"Right\",\"pad_to_multiple_of\":null,\"pad_id\":1,\"pad_type_id\":0,\"pad_token\":\"<|end|>\"}");
    assertThat(cutting).contains("LongestFirst", "Fixed");
    try (TokenizerFile plain = sample();
        TokenizerFile file =
            TokenizerFile.load("t.json", cutting.getBytes(StandardCharsets.UTF_8))) {
      for (String text : new String[] {"a", "the box and the stone and the kite ".repeat(400)}) {
        assertThat(file.encode(text)).isEqualTo(plain.encode(text));
      }
    }
  }

  @Test
  void theSizeCountsAddedTokens() {
    try (TokenizerFile tokenizer = sample()) {
      assertThat(tokenizer.size()).isEqualTo(768);
      assertThat(Arrays.stream(tokenizer.encode("abc")).max().orElse(0)).isLessThan(768);
    }
  }

  @Test
  void brokenOnesAreNamed(@TempDir Path folder) throws IOException {
    org.apache.hadoop.fs.Path model = new org.apache.hadoop.fs.Path(folder.toUri());
    assertThatThrownBy(() -> TokenizerFile.load(model, CONF))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tokenizer.json does not exist");
    for (String json : new String[] {"", "{", "{}", "{\"model\":{\"vocab\":{\"a\":0}}}", "[1]"}) {
      Files.writeString(folder.resolve("tokenizer.json"), json);
      assertThatThrownBy(() -> TokenizerFile.load(model, CONF))
          .as(json)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("tokenizer.json: ")
          .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
    }
  }

  @Test
  void nothingIsWrittenToTheHomeFolder() {
    Path cache = Path.of(System.getProperty("user.home"), ".djl.ai");
    boolean before = Files.exists(cache);
    try (TokenizerFile tokenizer = sample()) {
      tokenizer.encode("a");
    }
    assertThat(Files.exists(cache)).isEqualTo(before);
  }
}
