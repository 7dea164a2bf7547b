package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The merges of a BPE tokenizer, "a b" each, by rank. */
final class Merges {
  private final TokenTable table;
  private final List<String> merges = new ArrayList<>();

  /** Newer files have them in pairs. */
  Merges(TokenizerJson json, TokenTable table) {
    this.table = table;
    for (JsonNode merge : json.model().path("merges")) {
      boolean pair = merge.isArray() && merge.size() == 2;
      String text = pair ? merge.get(0).asText() + " " + merge.get(1).asText() : merge.asText();
      if (text.indexOf(' ') < 1 || text.indexOf(' ') == text.length() - 1) {
        throw json.refused("model.merges", merge, "two tokens");
      }
      if (text.indexOf(' ') != text.lastIndexOf(' ')) {
        throw json.refused("model.merges", merge, "tokens without spaces, which GGUF puts between");
      }
      merges.add(text);
    }
  }

  List<String> texts() {
    return merges;
  }

  /**
   * A score for each token, by which llama.cpp merges pieces of text, the best first: the negative
   * rank of the first merge that makes it. Pieces that no merge makes come last.
   */
  List<Float> scores() {
    List<Float> scores = new ArrayList<>(Collections.nCopies(table.tokens().size(), 0f));
    Set<String> made = new HashSet<>();
    for (String merge : merges) {
      String piece = merge.replace(" ", "");
      if (made.add(piece)) {
        table.id(piece).ifPresent(id -> scores.set(id, (float) -made.size()));
      }
    }
    for (int id = 0; id < scores.size(); id++) {
      String token = table.tokens().get(id);
      if (table.normal(token) && token.codePointCount(0, token.length()) > 1) {
        if (!made.contains(token)) {
          scores.set(id, (float) -made.size() - 1);
        }
      }
    }
    return scores;
  }

  /**
   * A way to make a piece of two others that is no merge, as "a b"; llama.cpp takes every way.
   * SentencePiece's tokenizers have them all.
   */
  Optional<String> missing() {
    Set<String> known = new HashSet<>(merges);
    for (String token : table.tokens()) {
      if (!table.normal(token)) {
        continue;
      }
      for (int cut = 1; cut < token.length(); cut++) {
        String left = token.substring(0, cut);
        String right = token.substring(cut);
        if (table.normal(left) && table.normal(right) && !known.contains(left + " " + right)) {
          return Optional.of(left + " " + right);
        }
      }
    }
    return Optional.empty();
  }
}
