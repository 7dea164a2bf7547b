package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How a byte-level tokenizer cuts text before it merges: llama.cpp has a name for each way that it
 * knows, tokenizer.json an expression.
 *
 * @param ignoresMerges whether llama.cpp, by that name, takes a whole word that is a token before
 *     it merges
 */
record PreTokenizer(String name, boolean ignoresMerges) {
  /** What a message names where the way is another. */
  static final String WANTED =
      "one that llama.cpp knows (gpt-2, gpt-4o, llama-bpe, smaug-bpe, qwen2, tekken, smollm), or"
          + " characters with byte_fallback";

  private static final String LINES_AND_SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String OTHERS = "| ?[^\\s\\p{L}\\p{N}]+";
  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String BEFORE = "[^\\r\\n\\p{L}\\p{N}]?";

  private static final String LLAMA_3 =
      WORDS + "\\p{N}{1,3}" + OTHERS + "[\\r\\n]*" + LINES_AND_SPACES;

  /** Of LLAMA_3 without ignore_merges. */
  private static final String SMAUG = "smaug-bpe";

  private static final Set<String> IGNORING_MERGES = Set.of("llama-bpe", "tekken");

  private static final Map<String, String> NAMES =
      Map.of(
          LLAMA_3,
          "llama-bpe",
          WORDS + "\\p{N}" + OTHERS + "[\\r\\n]*" + LINES_AND_SPACES,
          "qwen2",
          cased("", "\\p{N}"),
          "tekken",
          cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}"),
          "gpt-4o");

  /** Words that begin with capitals, or are all of them, each with what may follow it. */
  private static String cased(String after, String numbers) {
    return BEFORE
        + UPPER
        + "*"
        + LOWER
        + "+"
        + after
        + "|"
        + BEFORE
        + UPPER
        + "+"
        + LOWER
        + "*"
        + after
        + "|"
        + numbers
        + OTHERS
        + "[\\r\\n/]*"
        + LINES_AND_SPACES;
  }

  /**
   * The way of a tokenizer.
   *
   * @throws CheckpointException where llama.cpp has no name for it
   */
  static PreTokenizer of(TokenizerJson json) {
    JsonNode node = json.root().path("pre_tokenizer");
    String name =
        name(node, json.model().path("ignore_merges").asBoolean())
            .orElseThrow(() -> json.refused("pre_tokenizer", node, WANTED));
    for (JsonNode step : json.normalizers()) {
      if (!step.path("type").asText().equals("NFC")) {
        throw json.refused("normalizer", step, "none, or NFC");
      }
    }
    return new PreTokenizer(name, IGNORING_MERGES.contains(name));
  }

  private static Optional<String> name(JsonNode node, boolean ignoresMerges) {
    if (byteLevel(node, true)) {
      return Optional.of("gpt-2");
    }
    JsonNode parts = node.path("pretokenizers");
    if (!node.path("type").asText().equals("Sequence") || parts.size() != 2) {
      return Optional.empty();
    }
    JsonNode first = parts.get(0);
    if (first.path("type").asText().equals("Digits")
        && first.path("individual_digits").asBoolean()
        && byteLevel(parts.get(1), true)) {
      return Optional.of("smollm");
    }
    if (!first.path("type").asText().equals("Split")
        || !first.path("behavior").asText().equals("Isolated")
        || first.path("invert").asBoolean()
        || !byteLevel(parts.get(1), false)) {
      return Optional.empty();
    }
    String expression = first.path("pattern").path("Regex").asText();
    return expression.equals(LLAMA_3) && !ignoresMerges
        ? Optional.of(SMAUG)
        : Optional.ofNullable(NAMES.get(expression));
  }

  /**
   * @param cuts whether it cuts by GPT-2's expression itself
   */
  private static boolean byteLevel(JsonNode node, boolean cuts) {
    return node.path("type").asText().equals("ByteLevel")
        && !node.path("add_prefix_space").asBoolean()
        && node.path("use_regex").asBoolean(true) == cuts;
  }
}
