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
 * @param forVllm whether what vLLM would not load is refused, not only told
 */
public record OutputChoice(
    Set<OutputFormat> formats, Optional<GgufType> ggufType, long ggufFileBytes, boolean forVllm) {
  /** As much as a shard of safetensors has. */
  public static final long DEFAULT_GGUF_FILE_BYTES = 5_000_000_000L;

  /** What is published where nothing is said. */
  public static final OutputChoice DEFAULT =
      new OutputChoice(
          Set.of(OutputFormat.COMPRESSED_TENSORS), Optional.empty(), DEFAULT_GGUF_FILE_BYTES, true);

  public OutputChoice {
    formats = Set.copyOf(formats);
  }

  /** The same for any reader, vLLM or not. */
  public OutputChoice forAnyRuntime() {
    return new OutputChoice(formats, ggufType, ggufFileBytes, false);
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
