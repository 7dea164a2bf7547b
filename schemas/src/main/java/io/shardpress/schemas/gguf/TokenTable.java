package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** Tokens by id, with llama.cpp's types. */
final class TokenTable {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private static final int BYTES = 256;
  private static final Pattern ONE_BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

  private final TokenizerJson json;
  private final boolean characters;
  private final String[] tokens;
  private final Integer[] types;
  private final Map<String, Integer> ids = new HashMap<>();

  /**
   * @param rows of the embedding: so many tokens there will be
   * @param characters whether tokens are pieces of text, with tokens for single bytes among them
   */
  TokenTable(TokenizerJson json, int rows, boolean characters) {
    this.json = json;
    this.characters = characters;
    this.tokens = new String[rows];
    this.types = new Integer[rows];
    readVocabulary();
    readAdded();
    if (characters) {
      requireBytes();
      id(json.model().path("unk_token")).ifPresent(id -> types[id] = UNKNOWN);
    }
    fill();
  }

  private void readVocabulary() {
    JsonNode vocabulary = json.model().path("vocab");
    if (!vocabulary.isObject() || vocabulary.isEmpty()) {
      throw json.refused("model.vocab", vocabulary, "an object with an id for each token");
    }
    for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
      boolean oneByte = characters && ONE_BYTE.matcher(entry.getKey()).matches();
      put(entry.getKey(), entry.getValue(), oneByte ? BYTE : NORMAL);
    }
  }

  private void readAdded() {
    for (JsonNode token : json.root().path("added_tokens")) {
      int type = token.path("special").asBoolean() ? CONTROL : USER_DEFINED;
      put(token.path("content").asText(), token.path("id"), type);
    }
  }

  private void put(String token, JsonNode id, int type) {
    String key = "token \"" + token + "\"";
    if (!id.isInt() || id.asInt() < 0 || id.asInt() >= tokens.length) {
      throw json.refused(
          key,
          id,
          "an id below the embedding's " + tokens.length + " rows; take the model's own tokenizer");
    }
    Integer other = ids.put(token, id.asInt());
    if (other != null && other != id.asInt()) {
      throw json.refused(key, "the ids " + other + " and " + id, "one, llama.cpp stops at two");
    }
    String before = tokens[id.asInt()];
    if (before != null && !before.equals(token)) {
      throw json.refused(key, "the id " + id + " of \"" + before + "\"", "an id of its own");
    }
    tokens[id.asInt()] = token;
    types[id.asInt()] = type;
  }

  /** llama.cpp looks for these without asking whether they are there. */
  private void requireBytes() {
    for (int one = 0; one < BYTES; one++) {
      String token = String.format(Locale.ROOT, "<0x%02X>", one);
      if (!ids.containsKey(token)) {
        throw json.refused("model.vocab", "no " + token, "a token for each of " + BYTES + " bytes");
      }
    }
  }

  /** Names for rows that the tokenizer never gives; no two tokens may have one name. */
  private void fill() {
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) {
        String name = "[PAD" + id + "]";
        while (ids.containsKey(name)) {
          name = "[" + name + "]";
        }
        tokens[id] = name;
        types[id] = UNUSED;
      }
    }
  }

  List<String> tokens() {
    return Arrays.asList(tokens);
  }

  List<Integer> types() {
    return Arrays.asList(types);
  }

  /** Whether it is a piece of text that merges make, or a character. */
  boolean normal(String token) {
    Integer id = ids.get(token);
    return id != null && types[id] == NORMAL;
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** The id of a token that stands as its text, or as an object with it. */
  OptionalInt id(JsonNode token) {
    return id(token.isObject() ? token.path("content").asText() : token.asText());
  }
}
