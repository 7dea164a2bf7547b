package io.shardpress.schemas.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TreeHashTest {
  private static final List<PublishedFile> FILES =
      List.of(
          new PublishedFile("config.json", 12, "aa"),
          new PublishedFile("model-00001-of-00002.safetensors", 5_000_000_000L, "bb"),
          new PublishedFile("Z", 0, "cc"),
          new PublishedFile("é", 1, "dd"));

  /** The figure of {@code printf 'Z\t0\tcc\nconfig.json\t12\taa\n…' | sha256sum}. */
  private static final String KNOWN =
      "925db1bcd162c312f35ffa28e707551c6eb00b5d929255040e7d29bab930d846";

  @Test
  void equalsTheShellsFigure() {
    assertThat(TreeHash.of(FILES)).isEqualTo(KNOWN);
  }

  @Test
  void orderDoesNotMatterAndRunsStayOutside() {
    List<PublishedFile> files = new ArrayList<>(FILES);
    files.add(new PublishedFile("shardpress.json", 3, "ee"));
    files.add(new PublishedFile("report/layers.jsonl", 3, "ee"));
    files.add(new PublishedFile("runs/1/id", 3, "ee"));
    files.add(new PublishedFile(".shardpress/parts/x", 3, "ee"));
    Collections.shuffle(files, new Random(1));
    assertThat(TreeHash.of(files)).isEqualTo(KNOWN);
  }

  @Test
  void everyFieldCounts() {
    for (PublishedFile other :
        List.of(
            new PublishedFile("config.jsom", 12, "aa"),
            new PublishedFile("config.json", 13, "aa"),
            new PublishedFile("config.json", 12, "ab"),
            new PublishedFile("reports", 12, "aa"))) {
      List<PublishedFile> files = new ArrayList<>(FILES);
      files.set(0, other);
      assertThat(TreeHash.of(files)).isNotEqualTo(KNOWN);
    }
  }
}
