package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.ByteOrderMark;
import io.shardpress.schemas.json.StrictJson;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A tokenizer.json as GGUF's metadata. Byte-level BPE becomes "gpt2": tokens, types, merges and how
 * text is cut before. BPE over characters with bytes as a fallback, which is SentencePiece's in
 * Hugging Face's form, becomes "llama": its scores are the negative ranks of the merges that make
 * the tokens, since there the best score merges first.
 *
 * <p>llama.cpp does not compose characters (NFC) before it cuts text by bytes; the tokenizers of
 * Qwen2 do, and pass here all the same.
 *
 * @param keys below tokenizer.
 * @param warnings where llama.cpp may cut text otherwise
 */
public record GgufTokenizer(Map<String, GgufValue> keys, List<String> warnings) {
  /** Files that are read. */
  public static final String TOKENIZER_JSON = "tokenizer.json";

  public static final String SETTINGS = "tokenizer_config.json";
  public static final String CHAT_TEMPLATE = "chat_template.jinja";

  private static final String PREFIX = "tokenizer.ggml.";

  public GgufTokenizer {
    keys = Collections.unmodifiableMap(new LinkedHashMap<>(keys));
    warnings = List.copyOf(warnings);
  }

  /**
   * The tokenizer of a model.
   *
   * @param folder of the model, for messages
   * @param files of that folder, by name: tokenizer.json and config.json, and where they are there
   *     tokenizer_config.json and chat_template.jinja, which counts more than the template in it
   * @param rows of the embedding: so many tokens there will be
   * @throws CheckpointException where llama.cpp has no such tokenizer, with what was found
   */
  public static GgufTokenizer of(String folder, Map<String, byte[]> files, int rows) {
    TokenizerJson json =
        TokenizerJson.read(folder + "/" + TOKENIZER_JSON, files.get(TOKENIZER_JSON));
    String type = json.model().path("type").asText();
    if (!type.equals("BPE")) {
      throw json.refused("model.type", json.model().path("type"), "BPE");
    }
    JsonNode settings = object(folder, files, SETTINGS);
    JsonNode config = object(folder, files, "config.json");
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    List<String> warnings = new ArrayList<>();
    TokenTable table =
        json.model().path("byte_fallback").asBoolean()
            ? pieces(json, rows, keys, warnings)
            : bytes(json, rows, keys, warnings);
    new SpecialTokens(json, table, settings, config).addTo(keys, PREFIX);
    Optional.ofNullable(files.get(CHAT_TEMPLATE))
        .map(text -> ByteOrderMark.strip(new String(text, StandardCharsets.UTF_8)))
        .or(() -> chat(settings))
        .ifPresent(text -> keys.put("tokenizer.chat_template", new GgufValue.Text(text)));
    return new GgufTokenizer(keys, warnings);
  }

  private static JsonNode object(String folder, Map<String, byte[]> files, String name) {
    byte[] json = files.get(name);
    return json == null ? NullNode.instance : StrictJson.object(folder + "/" + name, json);
  }

  private static TokenTable bytes(
      TokenizerJson json, int rows, Map<String, GgufValue> keys, List<String> warnings) {
    PreTokenizer cut = PreTokenizer.of(json);
    TokenTable table = new TokenTable(json, rows, false);
    keys.put(PREFIX + "model", new GgufValue.Text("gpt2"));
    keys.put(PREFIX + "pre", new GgufValue.Text(cut.name()));
    put(keys, table);
    keys.put(PREFIX + "merges", new GgufValue.Texts(new Merges(json, table).texts()));
    if (cut.ignoresMerges() != json.model().path("ignore_merges").asBoolean()) {
      warnings.add(
          ("%s: ignore_merges is %s, but llama.cpp's %s does the other: rare words may become other"
                  + " tokens there")
              .formatted(json.file(), !cut.ignoresMerges(), cut.name()));
    }
    return table;
  }

  private static TokenTable pieces(
      TokenizerJson json, int rows, Map<String, GgufValue> keys, List<String> warnings) {
    PieceCut cut = PieceCut.of(json);
    TokenTable table = new TokenTable(json, rows, true);
    Merges merges = new Merges(json, table);
    keys.put(PREFIX + "model", new GgufValue.Text("llama"));
    keys.put(PREFIX + "tokens", new GgufValue.Texts(table.tokens()));
    keys.put(PREFIX + "scores", new GgufValue.Floats(merges.scores()));
    keys.put(PREFIX + "token_type", new GgufValue.Ints(table.types()));
    keys.put(PREFIX + "add_space_prefix", new GgufValue.Bool(cut.prefixed()));
    merges
        .missing()
        .ifPresent(
            pair ->
                warnings.add(
                    ("%s: model.merges has no \"%s\", which llama.cpp merges all the same: text may"
                            + " become other tokens there")
                        .formatted(json.file(), pair)));
    if (cut.splits()) {
      table.tokens().stream()
          .filter(token -> table.normal(token) && token.indexOf(PieceCut.SPACE) > 0)
          .findFirst()
          .ifPresent(
              token ->
                  warnings.add(
                      ("%s: it cuts text at spaces, but llama.cpp makes \"%s\" across one: text may"
                              + " become other tokens there")
                          .formatted(json.file(), token)));
    }
    return table;
  }

  private static void put(Map<String, GgufValue> keys, TokenTable table) {
    keys.put(PREFIX + "tokens", new GgufValue.Texts(table.tokens()));
    keys.put(PREFIX + "token_type", new GgufValue.Ints(table.types()));
  }

  private static Optional<String> chat(JsonNode settings) {
    JsonNode template = settings.path("chat_template");
    for (JsonNode one : template) {
      if (one.path("name").asText().equals("default")) {
        return Optional.of(one.path("template").asText());
      }
    }
    return template.isTextual() ? Optional.of(template.asText()) : Optional.empty();
  }
}
