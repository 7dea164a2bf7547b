package io.shardpress.spark.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.options.TextShare;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextShareTest {
  @Test
  void sharesStandBehindNames() {
    assertThat(TextShare.parse("prose.jsonl=0.5,s3a://b/code.parquet=.3,chat=0.2"))
        .extracting(TextShare::uri, TextShare::share)
        .containsExactly(
            tuple("prose.jsonl", 0.5), tuple("s3a://b/code.parquet", 0.3), tuple("chat", 0.2));
    assertThat(TextShare.parse("a.txt,b.jsonl.gz"))
        .extracting(TextShare::uri, TextShare::share)
        .containsExactly(tuple("a.txt", 0.5), tuple("b.jsonl.gz", 0.5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a.jsonl", "folder", "day=0.5", "a,b.jsonl", "x=1/part.parquet", "folder,other"})
  void namesStayNames(String name) {
    assertThat(TextShare.parse(name)).containsExactly(new TextShare(name, 1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.jsonl=0.5,b.jsonl=0.6|shares are 1.1 together",
        "a.jsonl=0,b.jsonl=1|want numbers above 0",
        "a.jsonl=0.5,b.jsonl|some have a share and some have not",
      })
  void mistakesAreNamed(String option, String message) {
    assertThatThrownBy(() -> TextShare.parse(option))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }

  @Test
  void windowsAreWholeAndAsManyAsWanted() {
    List<TextShare> thirds = TextShare.parse("a.txt,b.txt,c.txt");
    assertThat(TextShare.windows(thirds, 512)).containsExactly(171, 171, 170);
    assertThat(TextShare.windows(thirds, 3)).containsExactly(1, 1, 1);
    assertThat(TextShare.windows(TextShare.parse("a.txt=0.55,b.txt=0.45"), 10))
        .containsExactly(6, 4);
    assertThatThrownBy(() -> TextShare.windows(thirds, 2))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("its share of 2 windows is none");
  }
}
