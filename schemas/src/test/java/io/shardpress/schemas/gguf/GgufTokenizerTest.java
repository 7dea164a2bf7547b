package io.shardpress.schemas.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufTokenizerTest {
  private static final String BYTES =
      """
      {"added_tokens": [{"id": 0, "content": "<s>", "special": true},
        {"id": 4, "content": "<tool>", "special": false}],
       "pre_tokenizer": %s,
       "post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"},
         {"type": "TemplateProcessing",
          "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}]},
       "model": {"type": "BPE", "vocab": {"<s>": 0, "Ġ": 1, "a": 2, "Ġa": 3},
         "merges": [["Ġ", "a"]]}}
      """;
  private static final String GPT2 = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}";

  private static GgufTokenizer read(String json, String settings, String config, int rows) {
    Map<String, byte[]> files = new HashMap<>();
    files.put("tokenizer.json", json.getBytes(StandardCharsets.UTF_8));
    files.put("config.json", config.getBytes(StandardCharsets.UTF_8));
    if (settings != null) {
      files.put("tokenizer_config.json", settings.getBytes(StandardCharsets.UTF_8));
    }
    return GgufTokenizer.of("m", files, rows);
  }

  private static Map<String, GgufValue> keys(
      String json, String settings, String config, int rows) {
    return read(json, settings, config, rows).keys();
  }

  /** SentencePiece's as Transformers writes it, with pieces behind the bytes. */
  private static String pieces(String before, List<String> pieces, List<String> merges) {
    StringBuilder vocabulary = new StringBuilder("\"<unk>\": 0");
    for (int one = 0; one < 256; one++) {
      vocabulary.append(String.format(Locale.ROOT, ", \"<0x%02X>\": %d", one, one + 1));
    }
    for (int i = 0; i < pieces.size(); i++) {
      vocabulary.append(String.format(Locale.ROOT, ", \"%s\": %d", pieces.get(i), 257 + i));
    }
    return """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}],
         %s, "post_processor": null,
         "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
           "vocab": {%s}, "merges": [%s]}}
        """
        .formatted(before, vocabulary, "\"" + String.join("\", \"", merges) + "\"");
  }

  private static final String NORMALIZERS =
      """
      "pre_tokenizer": null, "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}""";

  @Test
  void byteLevelTokensKeepTheirTextAndMerges() {
    Map<String, GgufValue> keys =
        keys(
            BYTES.formatted(GPT2),
            "{\"eos_token\": {\"content\": \"<tool>\"}, \"chat_template\": \"{{x}}\"}",
            "{\"eos_token_id\": [2, 3]}",
            6);
    assertThat(keys)
        .containsEntry("tokenizer.ggml.model", new GgufValue.Text("gpt2"))
        .containsEntry("tokenizer.ggml.pre", new GgufValue.Text("gpt-2"))
        .containsEntry(
            "tokenizer.ggml.tokens",
            new GgufValue.Texts(List.of("<s>", "Ġ", "a", "Ġa", "<tool>", "[PAD5]")))
        .containsEntry("tokenizer.ggml.token_type", new GgufValue.Ints(List.of(3, 1, 1, 1, 4, 5)))
        .containsEntry("tokenizer.ggml.merges", new GgufValue.Texts(List.of("Ġ a")))
        .containsEntry("tokenizer.ggml.bos_token_id", new GgufValue.U32(0))
        .containsEntry("tokenizer.ggml.eos_token_id", new GgufValue.U32(4))
        .containsEntry("tokenizer.ggml.add_bos_token", new GgufValue.Bool(true))
        .containsEntry("tokenizer.ggml.add_eos_token", new GgufValue.Bool(false))
        .containsEntry("tokenizer.chat_template", new GgufValue.Text("{{x}}"))
        .doesNotContainKey("tokenizer.ggml.scores");
    assertThat(keys(BYTES.formatted(GPT2), null, "{\"eos_token_id\": [2, 3]}", 6))
        .containsEntry("tokenizer.ggml.eos_token_id", new GgufValue.U32(2));
  }

  /** The best score merges first: scores fall as the merges' ranks rise. */
  @Test
  void charactersHaveScoresByTheRankOfTheirMerge() {
    List<String> made = List.of("▁", "a", "aa", "▁a", "▁aa", "xy");
    List<String> merges = List.of("▁ a", "a a", "▁ aa", "▁a a");
    GgufTokenizer tokenizer = read(pieces(NORMALIZERS, made, merges), null, "{}", 263);
    assertThat(tokenizer.keys())
        .containsEntry("tokenizer.ggml.model", new GgufValue.Text("llama"))
        .containsEntry("tokenizer.ggml.add_space_prefix", new GgufValue.Bool(true))
        .containsEntry("tokenizer.ggml.add_bos_token", new GgufValue.Bool(false))
        .containsEntry("tokenizer.ggml.unknown_token_id", new GgufValue.U32(0))
        .doesNotContainKeys("tokenizer.ggml.pre", "tokenizer.ggml.merges");
    List<Float> scores =
        ((GgufValue.Floats) tokenizer.keys().get("tokenizer.ggml.scores")).values();
    assertThat(scores.subList(0, 257)).containsOnly(0f);
    // What no merge makes comes behind all that some merge makes.
    assertThat(scores.subList(257, 263)).containsExactly(0f, 0f, -2f, -1f, -3f, -4f);
    List<Integer> types =
        ((GgufValue.Ints) tokenizer.keys().get("tokenizer.ggml.token_type")).values();
    assertThat(types.get(0)).isEqualTo(2);
    assertThat(types.subList(1, 257)).containsOnly(6);
    assertThat(types.subList(257, 263)).containsOnly(1);
    assertThat(tokenizer.warnings()).isEmpty();
  }

  @Test
  void mergesThatLlamaCppAddsAreToldOf() {
    List<String> made = List.of("a", "b", "c", "▁", "ab", "bc", "abc");
    assertThat(
            read(pieces(NORMALIZERS, made, List.of("a b", "b c", "ab c")), null, "{}", 264)
                .warnings())
        .singleElement()
        .asString()
        .contains("m/tokenizer.json", "\"a bc\"");
    String metaspace =
        "\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\":"
            + " \"▁\", \"prepend_scheme\": \"never\", \"split\": %s}";
    List<String> across = List.of("a", "▁", "a▁");
    GgufTokenizer whole =
        read(pieces(metaspace.formatted(false), across, List.of("a ▁")), null, "{}", 260);
    assertThat(whole.warnings()).isEmpty();
    assertThat(whole.keys())
        .containsEntry("tokenizer.ggml.add_space_prefix", new GgufValue.Bool(false));
    // Gemma's: it finds no space to split at.
    String split =
        "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\":"
            + " \"MergedWithPrevious\", \"invert\": false}, \"normalizer\": %s";
    String replace =
        "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"▁\"}";
    assertThat(
            read(
                    pieces(String.format(Locale.ROOT, split, replace), across, List.of("a ▁")),
                    null,
                    "{}",
                    260)
                .keys())
        .isEqualTo(whole.keys());
    assertThatThrownBy(
            () ->
                read(
                    pieces(String.format(Locale.ROOT, split, "null"), across, List.of("a ▁")),
                    null,
                    "{}",
                    260))
        .hasMessageContainingAll("normalizer", "spaces that become");
    assertThat(
            read(pieces(metaspace.formatted(true), across, List.of("a ▁")), null, "{}", 260)
                .warnings())
        .singleElement()
        .asString()
        .contains("\"a▁\"");
  }

  /** The expressions as Llama 3's, Qwen2's and Mistral's tokenizer.json have them. */
  @ParameterizedTest
  @CsvSource(
      delimiterString = "=>",
      quoteCharacter = '"',
      value = {
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+ => true => llama-bpe",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+ => false => smaug-bpe",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+ => false => qwen2",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+ => true => tekken",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+ => false => gpt-4o"
      })
  void expressionsHaveNames(String expression, boolean ignoreMerges, String name) {
    String split =
        """
        {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "%s"},
          "behavior": "Isolated", "invert": false},
          {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
        """
            .formatted(expression.replace("\\", "\\\\"));
    String json =
        BYTES
            .formatted(split)
            .replace("\"BPE\",", "\"BPE\", \"ignore_merges\": " + ignoreMerges + ",");
    GgufTokenizer tokenizer = read(json, null, "{}", 5);
    assertThat(tokenizer.keys()).containsEntry("tokenizer.ggml.pre", new GgufValue.Text(name));
    assertThat(tokenizer.warnings()).isEmpty();
    boolean toldOf = !name.matches("llama-bpe|smaug-bpe");
    String other = json.replace("merges\": " + ignoreMerges, "merges\": " + !ignoreMerges);
    assertThat(read(other, null, "{}", 5).warnings()).hasSize(toldOf ? 1 : 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      value = {
        "GPT2 => WHITESPACE => pre_tokenizer,Whitespace,llama-bpe",
        "\"BPE\" => \"Unigram\" => model.type,Unigram,BPE",
        "\"id\": 4 => \"id\": 5 => <tool>,found 5,5 rows",
        "\"id\": 4 => \"id\": 3 => <tool>,the id 3 of,Ġa",
        "\"content\": \"<tool>\" => \"content\": \"a\" => the ids 2 and 4",
        "[\"Ġ\", \"a\"] => [\"Ġ\"] => model.merges,two tokens",
        "[\"Ġ\", \"a\"] => \"Ġ a b\" => model.merges,without spaces",
        "\"vocab\": { => \"vocab\": {}, \"old\": { => model.vocab,an id for each",
        "\"post_processor\" => \"normalizer\": {\"type\": \"Lowercase\"}, \"post_processor\" => normalizer,Lowercase,NFC",
        "\"model\" => model => tokenizer.json: no JSON"
      })
  void whatLlamaCppDoesNotHaveIsRefused(String found, String with, String told) {
    String json =
        found.equals("GPT2")
            ? BYTES.formatted("{\"type\": \"Whitespace\"}")
            : BYTES.formatted(GPT2).replace(found, with);
    assertThat(json).isNotEqualTo(BYTES.formatted(GPT2));
    assertThatThrownBy(() -> keys(json, null, "{}", 5))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(told.split(","));
  }

  @Test
  void piecesNeedBytesAndSpacesAlone() {
    List<String> made = List.of("▁", "a");
    String json = pieces(NORMALIZERS, made, List.of("▁ a"));
    assertThatThrownBy(() -> keys(json.replace("<0x7F>", "x"), null, "{}", 259))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("<0x7F>", "256 bytes");
    assertThatThrownBy(() -> keys(json.replace("\"Prepend\"", "\"NFKC\""), null, "{}", 259))
        .hasMessageContainingAll("normalizer", "NFKC");
    assertThatThrownBy(() -> keys(json.replace("\"Replace\"", "\"Strip\""), null, "{}", 259))
        .hasMessageContainingAll("normalizer", "Strip");
  }

  /** Names of rows without a token are none that there are; two tokens of one name stop it. */
  @Test
  void namesOfRowsWithoutTokensAreTheirOwn() {
    String json = BYTES.formatted(GPT2).replace("\"a\": 2,", "\"[PAD2]\": 5, ");
    assertThat(keys(json.replace("[[\"Ġ\", \"a\"]]", "[]"), null, "{}", 6))
        .containsEntry(
            "tokenizer.ggml.tokens",
            new GgufValue.Texts(List.of("<s>", "Ġ", "[[PAD2]]", "Ġa", "<tool>", "[PAD2]")));
  }

  @Test
  void templatesOfTheirOwnFileCountMore() {
    Map<String, byte[]> files = new HashMap<>();
    files.put("tokenizer.json", BYTES.formatted(GPT2).getBytes(StandardCharsets.UTF_8));
    files.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
    files.put(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool\", \"template\": \"1\"}, {\"name\": \"default\","
            .concat(" \"template\": \"2\"}]}")
            .getBytes(StandardCharsets.UTF_8));
    assertThat(GgufTokenizer.of("m", files, 5).keys())
        .containsEntry("tokenizer.chat_template", new GgufValue.Text("2"));
    files.put("chat_template.jinja", "3".getBytes(StandardCharsets.UTF_8));
    assertThat(GgufTokenizer.of("m", files, 5).keys())
        .containsEntry("tokenizer.chat_template", new GgufValue.Text("3"));
  }
}
