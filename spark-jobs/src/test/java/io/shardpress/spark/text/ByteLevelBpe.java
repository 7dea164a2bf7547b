package io.shardpress.spark.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Byte-level BPE from its definition (Sennrich et al. 2016, bytes as in GPT-2), slow and short: the
 * oracle for the tokenizer of the sample model, whose template puts token 0 before each text.
 */
final class ByteLevelBpe {
  private static final Pattern WORDS =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final Map<String, Integer> ranks = new HashMap<>();

  ByteLevelBpe(Path file) throws IOException {
    JsonNode model = new ObjectMapper().readTree(Files.readAllBytes(file)).path("model");
    model.path("vocab").properties().forEach(e -> vocabulary.put(e.getKey(), e.getValue().asInt()));
    for (JsonNode pair : model.path("merges")) {
      ranks.put(pair.get(0).asText() + " " + pair.get(1).asText(), ranks.size());
    }
  }

  int[] encode(String text) {
    List<Integer> ids = new ArrayList<>();
    ids.add(0);
    Matcher words = WORDS.matcher(text);
    while (words.find()) {
      merge(letters(words.group())).forEach(piece -> ids.add(vocabulary.get(piece)));
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  /** One visible letter for each byte: printable Latin-1 itself, the others from U+0100 on. */
  private static List<String> letters(String word) {
    List<String> letters = new ArrayList<>();
    for (byte signed : word.getBytes(StandardCharsets.UTF_8)) {
      int code = signed & 0xff;
      int hiddenBefore = 0;
      for (int lower = 0; lower < code; lower++) {
        hiddenBefore += visible(lower) ? 0 : 1;
      }
      letters.add(Character.toString(visible(code) ? code : 0x100 + hiddenBefore));
    }
    return letters;
  }

  private static boolean visible(int code) {
    return (code >= '!' && code <= '~') || (code >= 0xa1 && code <= 0xff && code != 0xad);
  }

  private List<String> merge(List<String> pieces) {
    while (true) {
      int best = -1;
      int bestRank = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < pieces.size(); i++) {
        int rank = ranks.getOrDefault(pieces.get(i) + " " + pieces.get(i + 1), Integer.MAX_VALUE);
        if (rank < bestRank) {
          best = i;
          bestRank = rank;
        }
      }
      if (best < 0) {
        return pieces;
      }
      pieces.set(best, pieces.get(best) + pieces.remove(best + 1));
    }
  }
}
