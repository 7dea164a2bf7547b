package io.shardpress.spark.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Rows that hold a conversation in place of a text, in the forms that data sets have: a list of
 * messages with role and content ({@code messages}), ShareGPT's with from and value ({@code
 * conversations}), {@code prompt} and {@code completion}, {@code instruction}, {@code input} and
 * {@code output}. They become text by the model's chat template.
 */
public final class ChatRows {
  /** Without a model, and so without a template. */
  public static final ChatRows NONE = new ChatRows("the model", Optional::empty);

  private static final List<String> LISTS = List.of("messages", "conversations", "conversation");

  /** What is said, and what is answered. */
  private static final List<List<String>> PAIRS =
      List.of(
          List.of("prompt", "completion"),
          List.of("prompt", "response"),
          List.of("instruction", "output"),
          List.of("instruction", "response"),
          List.of("question", "answer"));

  private static final Map<String, String> ROLES =
      Map.ofEntries(
          Map.entry("human", "user"),
          Map.entry("user", "user"),
          Map.entry("gpt", "assistant"),
          Map.entry("chatgpt", "assistant"),
          Map.entry("bing", "assistant"),
          Map.entry("bard", "assistant"),
          Map.entry("model", "assistant"),
          Map.entry("assistant", "assistant"),
          Map.entry("system", "system"),
          Map.entry("tool", "tool"),
          Map.entry("observation", "tool"));

  private final String model;
  private final Supplier<Optional<ChatTemplate>> lookUp;
  private Optional<ChatTemplate> template;

  private ChatRows(String model, Supplier<Optional<ChatTemplate>> lookUp) {
    this.model = model;
    this.lookUp = lookUp;
  }

  /** Rows for a model, whose template is read when a row first wants it. */
  public static ChatRows of(Path model, Configuration conf) {
    return new ChatRows(model.toString(), () -> ChatTemplate.find(model, conf));
  }

  /**
   * The text of a row that has none at {@code field}.
   *
   * @param where the row, for messages
   * @return empty where the row is in none of the forms
   * @throws CheckpointException where it is, and cannot become text
   */
  Optional<String> text(JsonNode row, String field, String where) {
    Optional<List<Object>> messages = messages(row, field, where);
    if (messages.isEmpty()) {
      return Optional.empty();
    }
    if (messages.get().isEmpty()) {
      return Optional.of("");
    }
    if (template == null) {
      template = lookUp.get();
    }
    if (template.isEmpty()) {
      throw new CheckpointException(
          "%s: found a chat, and %s has no chat template to make text of it: want chat_template in its tokenizer_config.json, or a file chat_template.jinja beside it; or give text, with --text-field"
              .formatted(where, model));
    }
    JsonNode tools = row.path("tools");
    Object given = tools.isArray() && !tools.isEmpty() ? ChatValues.of(tools) : null;
    return Optional.of(template.get().render(messages.get(), given, where));
  }

  /** What to say of a row that is in none of the forms. */
  static String wanted() {
    return "chats are read from messages, conversations, prompt and completion, instruction and"
        + " output";
  }

  /** Of a table's columns those that hold a conversation; none where they hold no whole one. */
  static List<String> columns(List<String> names) {
    List<String> columns =
        new ArrayList<>(LISTS.stream().filter(names::contains).limit(1).toList());
    if (columns.isEmpty()) {
      PAIRS.stream().filter(names::containsAll).limit(1).forEach(columns::addAll);
    }
    if (!columns.isEmpty()) {
      columns.addAll(List.of("input", "system", "tools"));
    }
    return columns;
  }

  private static Optional<List<Object>> messages(JsonNode row, String field, String where) {
    List<String> names = new ArrayList<>(List.of(field));
    if (field.equals(Documents.DEFAULT_FIELD)) {
      names.addAll(LISTS);
    }
    for (String name : names) {
      if (row.path(name).isArray()) {
        List<Object> messages = system(row);
        messages.addAll(conversation(row.path(name), where + ": " + name));
        return Optional.of(messages);
      }
    }
    return field.equals(Documents.DEFAULT_FIELD) ? pair(row, where) : Optional.empty();
  }

  /** LLaMA-Factory writes it beside the conversation. */
  private static List<Object> system(JsonNode row) {
    List<Object> messages = new ArrayList<>();
    if (row.path("system").isTextual() && !row.path("system").asText().isBlank()) {
      messages.add(message("system", row.path("system").asText()));
    }
    return messages;
  }

  private static List<Object> conversation(JsonNode list, String where) {
    List<Object> messages = new ArrayList<>();
    for (JsonNode one : list) {
      if (one.has("role")) {
        messages.add(ChatValues.of(one));
      } else if (one.path("from").isTextual() && one.has("value")) {
        String role = ROLES.get(one.path("from").asText());
        if (role == null) {
          throw new CheckpointException(
              "%s: found from \"%s\", wanted human, gpt, system or tool"
                  .formatted(where, one.path("from").asText()));
        }
        messages.add(message(role, ChatValues.of(one.path("value"))));
      } else {
        throw new CheckpointException(
            where + ": found a message without role and content, or from and value");
      }
    }
    return messages;
  }

  private static Optional<List<Object>> pair(JsonNode row, String where) {
    for (List<String> names : PAIRS) {
      JsonNode said = row.path(names.get(0));
      JsonNode answered = row.path(names.get(1));
      if (said.isArray() && answered.isArray()) {
        List<Object> messages = conversation(said, where + ": " + names.get(0));
        messages.addAll(conversation(answered, where + ": " + names.get(1)));
        return Optional.of(messages);
      }
      if (said.isTextual() && answered.isTextual()) {
        String more = row.path("input").asText("");
        boolean input = names.get(0).equals("instruction") && !more.isBlank();
        List<Object> messages = system(row);
        messages.add(message("user", input ? said.asText() + "\n\n" + more : said.asText()));
        messages.add(message("assistant", answered.asText()));
        return Optional.of(messages);
      }
    }
    return Optional.empty();
  }

  private static Map<String, Object> message(String role, Object content) {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("role", role);
    message.put("content", content);
    return message;
  }
}
