package io.shardpress.spark.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.text.jinja.Jinja;
import io.shardpress.spark.text.jinja.JinjaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A model's chat template, found where Transformers looks for it: chat_template.jinja, else
 * chat_template of tokenizer_config.json (of several the one named default), else of
 * chat_template.json. Special tokens are those of tokenizer_config.json and
 * special_tokens_map.json.
 */
final class ChatTemplate {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String KEY = "chat_template";
  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token",
          "additional_special_tokens");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String source;
  private final Jinja template;
  private final Map<String, Object> tokens;

  private ChatTemplate(String source, Jinja template, Map<String, Object> tokens) {
    this.source = source;
    this.template = template;
    this.tokens = tokens;
  }

  /**
   * The template of a model's folder; empty where it has none.
   *
   * @throws CheckpointException for one that cannot be read
   */
  static Optional<ChatTemplate> find(Path model, Configuration conf) {
    try {
      FileSystem files = model.getFileSystem(conf);
      JsonNode config = json(files, new Path(model, CONFIG));
      JsonNode map = json(files, new Path(model, "special_tokens_map.json"));
      Map<String, Object> tokens = new LinkedHashMap<>();
      for (JsonNode from : List.of(map, config)) {
        SPECIAL_TOKENS.forEach(name -> token(from.path(name), name, tokens));
      }
      Path own = new Path(model, "chat_template.jinja");
      if (files.exists(own)) {
        return Optional.of(of(own.toString(), text(files, own), tokens));
      }
      for (String name : List.of(CONFIG, "chat_template.json")) {
        Path file = new Path(model, name);
        Optional<String> text = text((name.equals(CONFIG) ? config : json(files, file)).path(KEY));
        if (text.isPresent()) {
          return Optional.of(of(file + ": " + KEY, text.get(), tokens));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new CheckpointException(model + ": chat template not readable: " + e.getMessage(), e);
    }
  }

  /**
   * A template with special tokens by name.
   *
   * @param source for messages
   */
  static ChatTemplate of(String source, String template, Map<String, Object> tokens) {
    try {
      return new ChatTemplate(source, Jinja.of(template), tokens);
    } catch (JinjaException e) {
      throw new CheckpointException(
          "%s: no template that can be read here: %s; give text that has been through it, with --text-field"
              .formatted(source, e.getMessage()),
          e);
    }
  }

  private static Optional<String> text(JsonNode template) {
    if (template.isTextual()) {
      return Optional.of(template.asText());
    }
    for (JsonNode one : template) {
      if (one.path("name").asText().equals("default") && one.path("template").isTextual()) {
        return Optional.of(one.path("template").asText());
      }
    }
    return Optional.empty();
  }

  private static void token(JsonNode token, String name, Map<String, Object> to) {
    JsonNode text = token.isObject() ? token.path("content") : token;
    if (text.isTextual() && !text.asText().isEmpty()) {
      to.put(name, text.asText());
    } else if (text.isArray() && !text.isEmpty()) {
      to.put(
          name,
          ChatValues.of(text) instanceof List<?> all
              ? all.stream().map(ChatTemplate::content).toList()
              : List.of());
    }
  }

  private static Object content(Object token) {
    return token instanceof Map<?, ?> map ? map.get("content") : token;
  }

  private static JsonNode json(FileSystem files, Path file) throws IOException {
    if (!files.exists(file)) {
      return JSON.missingNode();
    }
    String text = text(files, file);
    try {
      return JSON.readTree(text.startsWith("\ufeff") ? text.substring(1) : text);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("");
      throw new CheckpointException(file + ": no JSON: " + reason, e);
    }
  }

  private static String text(FileSystem files, Path file) throws IOException {
    try (FSDataInputStream in = files.open(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /**
   * A conversation as text, its special tokens written out, as apply_chat_template gives it.
   *
   * @param messages the conversation
   * @param tools what may be called in it, or null
   * @param where the row, for messages
   * @throws CheckpointException where the template refuses it
   */
  String render(List<Object> messages, Object tools, String where) {
    Map<String, Object> values = new LinkedHashMap<>(tokens);
    values.put("messages", messages);
    values.put("tools", tools);
    values.put("documents", null);
    values.put("add_generation_prompt", false);
    try {
      return template.render(values);
    } catch (JinjaException e) {
      throw new CheckpointException(
          "%s: the chat template (%s) does not take this conversation: %s"
              .formatted(where, source, e.getMessage()),
          e);
    }
  }
}
