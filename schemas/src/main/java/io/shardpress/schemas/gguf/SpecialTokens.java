package io.shardpress.schemas.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Which tokens begin, end and pad, and whether the tokenizer puts the first two around a text. The
 * tokenizer's own template counts most, then tokenizer_config.json, then config.json.
 *
 * @param settings tokenizer_config.json
 * @param config config.json
 */
record SpecialTokens(TokenizerJson json, TokenTable table, JsonNode settings, JsonNode config) {
  void addTo(Map<String, GgufValue> keys, String prefix) {
    JsonNode single = template(json.root().path("post_processor")).path("single");
    JsonNode first = single.path(0).path("SpecialToken").path("id");
    JsonNode last = single.path(single.size() - 1).path("SpecialToken").path("id");
    boolean ends = single.size() > 1 && last.isTextual();
    put(keys, prefix + "bos_token_id", first.isTextual() ? table.id(first) : named("bos"));
    put(keys, prefix + "eos_token_id", ends ? table.id(last) : named("eos"));
    put(keys, prefix + "unknown_token_id", table.id(json.model().path("unk_token")));
    put(keys, prefix + "padding_token_id", named("pad"));
    keys.put(prefix + "add_bos_token", new GgufValue.Bool(first.isTextual()));
    keys.put(prefix + "add_eos_token", new GgufValue.Bool(ends));
  }

  private static void put(Map<String, GgufValue> keys, String key, OptionalInt id) {
    id.ifPresent(one -> keys.put(key, new GgufValue.U32(one)));
  }

  private OptionalInt named(String which) {
    OptionalInt named = table.id(settings.path(which + "_token"));
    if (named.isPresent()) {
      return named;
    }
    JsonNode id = config.path(which + "_token_id");
    id = id.isArray() ? id.path(0) : id;
    boolean known = id.isInt() && id.asInt() >= 0 && id.asInt() < table.tokens().size();
    return known ? OptionalInt.of(id.asInt()) : OptionalInt.empty();
  }

  private static JsonNode template(JsonNode processor) {
    if (processor.path("type").asText().equals("Sequence")) {
      for (JsonNode one : processor.path("processors")) {
        if (one.path("type").asText().equals("TemplateProcessing")) {
          return one;
        }
      }
    }
    return processor;
  }
}
