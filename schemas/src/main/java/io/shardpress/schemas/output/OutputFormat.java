package io.shardpress.schemas.output;

import io.shardpress.schemas.UsageException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What a run can publish; several share its learning. */
public enum OutputFormat {
  /** Safetensors that vLLM and Transformers load. */
  COMPRESSED_TENSORS("compressed-tensors"),
  /** A file that llama.cpp loads. */
  GGUF("gguf");

  private final String word;

  OutputFormat(String word) {
    this.word = word;
  }

  /** As the command line has it. */
  public String word() {
    return word;
  }

  /**
   * The format of that name.
   *
   * @throws UsageException where there is none
   */
  public static OutputFormat named(String word) {
    return Arrays.stream(values())
        .filter(format -> format.word.equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new UsageException(
                    "unknown format '"
                        + word
                        + "'; supported are "
                        + Arrays.stream(values())
                            .map(OutputFormat::word)
                            .collect(Collectors.joining(", "))));
  }
}
