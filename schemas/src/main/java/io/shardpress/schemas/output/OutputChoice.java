package io.shardpress.schemas.output;

import io.shardpress.schemas.gguf.GgufType;
import java.util.Optional;
import java.util.Set;

/**
 * What a run publishes.
 *
 * @param formats never empty
 * @param ggufType of matrices that the recipe leaves alone, in GGUF; empty: as in the model
 * @param ggufFileBytes of tensors, at most, in a GGUF file; a larger model is split
 */
public record OutputChoice(
    Set<OutputFormat> formats, Optional<GgufType> ggufType, long ggufFileBytes) {
  /** As much as a shard of safetensors has. */
  public static final long DEFAULT_GGUF_FILE_BYTES = 5_000_000_000L;

  /** What is published where nothing is said. */
  public static final OutputChoice DEFAULT =
      new OutputChoice(
          Set.of(OutputFormat.COMPRESSED_TENSORS), Optional.empty(), DEFAULT_GGUF_FILE_BYTES);

  public OutputChoice {
    formats = Set.copyOf(formats);
  }

  /** Whether safetensors are published. */
  public boolean compressedTensors() {
    return formats.contains(OutputFormat.COMPRESSED_TENSORS);
  }

  /** Whether GGUF is published. */
  public boolean gguf() {
    return formats.contains(OutputFormat.GGUF);
  }

  /** Everything in one line, in which equal choices are equal. */
  public String canonical() {
    String words = formats.stream().sorted().map(OutputFormat::word).toList().toString();
    return gguf()
        ? words + " " + ggufType.map(Enum::name).orElse("model") + " " + ggufFileBytes
        : words;
  }
}
