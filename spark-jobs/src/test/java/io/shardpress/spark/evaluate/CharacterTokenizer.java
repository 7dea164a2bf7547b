package io.shardpress.spark.evaluate;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A tokenizer.json as Transformers makes it from a SentencePiece model, such as Llama 2's: unknown,
 * begin, end, the bytes, pieces in the order in which they were learned, characters; merges are all
 * ways to make a piece of two others, in the order of pieces.
 */
final class CharacterTokenizer {
  private static final String SPACE = "▁";

  private CharacterTokenizer() {}

  /**
   * Learns pieces from a text and writes the file.
   *
   * @param pieces how many
   */
  static String learn(String text, int pieces) throws Exception {
    List<List<String>> words = new ArrayList<>();
    TreeSet<String> characters = new TreeSet<>();
    for (String word : text.split(" ")) {
      List<String> symbols = new ArrayList<>(List.of(SPACE));
      word.codePoints().forEach(one -> symbols.add(Character.toString(one)));
      characters.addAll(symbols);
      words.add(symbols);
    }
    LinkedHashSet<String> learned = new LinkedHashSet<>();
    while (learned.size() < pieces) {
      learned.add(merge(words));
    }
    Set<String> known = new HashSet<>(characters);
    known.addAll(learned);
    ObjectNode root = new JsonMapper().createObjectNode();
    root.put("version", "1.0");
    ArrayNode added = root.putArray("added_tokens");
    List<String> special = List.of("<unk>", "<s>", "</s>");
    for (int id = 0; id < special.size(); id++) {
      ObjectNode token = added.addObject().put("id", id).put("content", special.get(id));
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        token.put(flag, false);
      }
      token.put("special", true);
    }
    ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    steps.addObject().put("type", "Prepend").put("prepend", SPACE);
    steps
        .addObject()
        .put("type", "Replace")
        .put("content", SPACE)
        .putObject("pattern")
        .put("String", " ");
    root.putNull("pre_tokenizer");
    root.set(
        "post_processor",
        new JsonMapper()
            .readTree(
                """
                {"type": "TemplateProcessing",
                 "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}],
                 "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                   {"Sequence": {"id": "B", "type_id": 1}}],
                 "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
                """));
    root.putNull("decoder");
    ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout");
    model.put("unk_token", "<unk>").put("fuse_unk", true).put("byte_fallback", true);
    ObjectNode vocabulary = model.putObject("vocab");
    special.forEach(token -> vocabulary.put(token, vocabulary.size()));
    for (int one = 0; one < 256; one++) {
      vocabulary.put(String.format(Locale.ROOT, "<0x%02X>", one), vocabulary.size());
    }
    learned.forEach(token -> vocabulary.put(token, vocabulary.size()));
    characters.forEach(token -> vocabulary.put(token, vocabulary.size()));
    ArrayNode merges = model.putArray("merges");
    for (String piece : learned) {
      for (int cut = 1; cut < piece.length(); cut++) {
        String left = piece.substring(0, cut);
        String right = piece.substring(cut);
        if (known.contains(left) && known.contains(right)) {
          merges.add(left + " " + right);
        }
      }
    }
    return root.toString();
  }

  /** Joins the pair that is seen most often, and says what it makes. */
  private static String merge(List<List<String>> words) {
    Map<String, Integer> pairs = new HashMap<>();
    for (List<String> word : words) {
      for (int i = 0; i + 1 < word.size(); i++) {
        pairs.merge(word.get(i) + " " + word.get(i + 1), 1, Integer::sum);
      }
    }
    String best =
        pairs.entrySet().stream()
            .max(Map.Entry.<String, Integer>comparingByValue().thenComparing(Map.Entry::getKey))
            .orElseThrow()
            .getKey();
    String left = best.substring(0, best.indexOf(' '));
    String right = best.substring(best.indexOf(' ') + 1);
    for (List<String> word : words) {
      for (int i = 0; i + 1 < word.size(); i++) {
        if (word.get(i).equals(left) && word.get(i + 1).equals(right)) {
          word.set(i, left + right);
          word.remove(i + 1);
        }
      }
    }
    return left + right;
  }
}
