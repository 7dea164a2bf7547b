package io.shardpress.spark.output;

import java.util.List;
import java.util.Optional;

/**
 * What a publication adds to the README.md of its folder.
 *
 * @param library that loads it, as Hugging Face names libraries
 * @param tags as Hugging Face has them
 * @param sizeNote what follows the size in bytes, such as {@code " as GGUF"}
 * @param usage paragraphs of Markdown
 */
public record CardEntry(
    Optional<String> library, List<String> tags, String sizeNote, String usage) {
  /** Nothing. */
  public static final CardEntry NONE = new CardEntry(Optional.empty(), List.of(), "", "");

  public CardEntry {
    tags = List.copyOf(tags);
  }
}
