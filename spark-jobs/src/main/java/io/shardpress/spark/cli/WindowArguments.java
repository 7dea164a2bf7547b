package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.options.TextSettings;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** How text is cut into windows. */
final class WindowArguments {
  private static final int SHORTEST = 2;

  @Option(
      names = "--text-field",
      paramLabel = "NAME",
      defaultValue = "text",
      description = "Key (.jsonl) or column (.parquet) that holds the text; default: text.")
  private String field;

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "512",
      description = "Windows of text at most; default: 512.")
  private int samples;

  @Option(
      names = "--sequence-length",
      paramLabel = "T",
      description = "Tokens of a window; default: min(1024, the model's positions).")
  private Integer sequenceLength;

  TextSettings settings(String file) {
    if (samples < 1) {
      throw new UsageException("--samples is " + samples + ", want at least 1");
    }
    if (sequenceLength != null && sequenceLength < SHORTEST) {
      throw new UsageException("--sequence-length is " + sequenceLength + ", want at least 2");
    }
    return new TextSettings(
        Optional.ofNullable(file),
        field,
        samples,
        sequenceLength == null ? OptionalInt.empty() : OptionalInt.of(sequenceLength));
  }
}
