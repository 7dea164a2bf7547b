package io.shardpress.spark.app.options;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Text and how it is cut into windows.
 *
 * @param file URI of a file or folder, or several with shares, see {@link TextShare#parse}; empty:
 *     calibration.jsonl in the model's folder if there
 * @param field key (.jsonl) or column (.parquet) of the text
 * @param samples windows at most
 * @param sequenceLength tokens of a window; empty: min(1024, max_position_embeddings)
 */
public record TextSettings(
    Optional<String> file, String field, int samples, OptionalInt sequenceLength) {
  private static final int LONGEST_BY_DEFAULT = 1024;

  /** URIs of all that is named. */
  public Stream<String> uris() {
    return file.stream().flatMap(text -> TextShare.parse(text).stream()).map(TextShare::uri);
  }

  /** Tokens of a window for a model with that many positions; 0 where its config does not say. */
  public int sequenceLength(int maxPositionEmbeddings) {
    int longest = maxPositionEmbeddings > 0 ? maxPositionEmbeddings : LONGEST_BY_DEFAULT;
    return sequenceLength.orElse(Math.min(LONGEST_BY_DEFAULT, longest));
  }
}
