package io.shardpress.spark.app.options;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Text and how it is cut into windows.
 *
 * @param file URI of a file or folder; empty: calibration.jsonl in the model's folder if there
 * @param field key (.jsonl) or column (.parquet) of the text
 * @param samples windows at most
 * @param sequenceLength tokens of a window; empty: min(1024, max_position_embeddings)
 */
public record TextSettings(
    Optional<String> file, String field, int samples, OptionalInt sequenceLength) {
  private static final int LONGEST_BY_DEFAULT = 1024;

  /** Tokens of a window for a model with that many positions; 0 where its config does not say. */
  public int sequenceLength(int maxPositionEmbeddings) {
    int longest = maxPositionEmbeddings > 0 ? maxPositionEmbeddings : LONGEST_BY_DEFAULT;
    return sequenceLength.orElse(Math.min(LONGEST_BY_DEFAULT, longest));
  }
}
