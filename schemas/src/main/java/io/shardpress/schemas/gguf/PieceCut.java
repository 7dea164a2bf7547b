package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * How a tokenizer of characters takes text apart before it merges: as SentencePiece does, spaces
 * become ▁ and one more may come first. Transformers writes that as normalizers, or as the
 * pre-tokenizer Metaspace.
 *
 * @param prefixed whether a space comes before the text
 * @param splits whether it cuts at spaces, which llama.cpp does not
 */
record PieceCut(boolean prefixed, boolean splits) {
  static final String SPACE = "▁";

  private static final String WANTED = "spaces that become " + SPACE + ", and nothing else";

  static PieceCut of(TokenizerJson json) {
    JsonNode before = json.root().path("pre_tokenizer");
    boolean metaspace =
        before.path("type").asText().equals("Metaspace")
            && before.path("replacement").asText(SPACE).equals(SPACE);
    if (!metaspace && !before.isNull() && !splitsAtSpaces(before)) {
      throw json.refused("pre_tokenizer", before, PreTokenizer.WANTED);
    }
    boolean replaced = metaspace;
    boolean prepended = false;
    for (JsonNode step : json.normalizers()) {
      if (isPrepend(step)) {
        prepended = true;
      } else if (isReplace(step)) {
        replaced = true;
      } else {
        throw json.refused("normalizer", step, WANTED);
      }
    }
    if (!replaced) {
      throw json.refused("normalizer", json.root().path("normalizer"), WANTED);
    }
    return metaspace
        ? new PieceCut(prepended || prefixes(before), before.path("split").asBoolean(true))
        : new PieceCut(prepended, false);
  }

  /** As Gemma's, where no space is left by then: normalizers have made them ▁. */
  private static boolean splitsAtSpaces(JsonNode before) {
    return before.path("type").asText().equals("Split")
        && before.path("pattern").path("String").asText().equals(" ");
  }

  private static boolean isPrepend(JsonNode step) {
    return step.path("type").asText().equals("Prepend")
        && step.path("prepend").asText().equals(SPACE);
  }

  private static boolean isReplace(JsonNode step) {
    return step.path("type").asText().equals("Replace")
        && step.path("pattern").path("String").asText().equals(" ")
        && step.path("content").asText().equals(SPACE);
  }

  private static boolean prefixes(JsonNode metaspace) {
    return metaspace.has("prepend_scheme")
        ? !metaspace.path("prepend_scheme").asText().equals("never")
        : metaspace.path("add_prefix_space").asBoolean(true);
  }
}
