package io.shardpress.spark.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows that are conversations, in files of both kinds. */
class ChatRowsTest {
  private static final Configuration CONF = new Configuration(false);

  /** Shows every message as role:content;, and the special tokens that it is given. */
  private static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"
          + "{{ tools | tojson if tools else '' }}{{ eos_token }}";

  @TempDir Path folder;

  @BeforeEach
  void model() throws IOException {
    Files.createDirectories(folder.resolve("model"));
    Files.writeString(
        folder.resolve("model/tokenizer_config.json"),
        """
        {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "pad_token": null,
         "chat_template": [{"name": "tool_use", "template": "no"},
                           {"name": "default", "template": "%s"}]}
        """
            .formatted(TEMPLATE.replace("\"", "\\\"")));
  }

  private List<String> read(String name, String field) throws IOException {
    List<String> documents = new ArrayList<>();
    try (Documents open =
        Documents.open(
            new org.apache.hadoop.fs.Path(folder.resolve(name).toUri()), field, chats(), CONF)) {
      while (open.hasNext()) {
        documents.add(open.next() + (open.templated() ? "" : " (plain)"));
      }
    }
    return documents;
  }

  private ChatRows chats() {
    return ChatRows.of(new org.apache.hadoop.fs.Path(folder.resolve("model").toUri()), CONF);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
            + " \"content\": \"b\"}]}|<s>user:a;assistant:b;</s>",
        "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\","
            + " \"value\": \"b\"}]}|<s>user:a;assistant:b;</s>",
        "{\"conversations\": [{\"role\": \"user\", \"content\": \"a\"}], \"system\":"
            + " \"s\"}|<s>system:s;user:a;</s>",
        "{\"prompt\": \"a\", \"completion\": \"b\"}|<s>user:a;assistant:b;</s>",
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"completion\": [{\"role\":"
            + " \"assistant\", \"content\": \"b\"}]}|<s>user:a;assistant:b;</s>",
        "{\"instruction\": \"a\", \"input\": \"x\", \"output\": \"b\"}|<s>user:a\\n"
            + "\\n"
            + "x;assistant:b;</s>",
        "{\"instruction\": \"a\", \"input\": \"\", \"output\": \"b\"}|<s>user:a;assistant:b;</s>",
        "{\"question\": \"a\", \"answer\": \"b\"}|<s>user:a;assistant:b;</s>",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"tools\": [{\"n\":"
            + " 1.5}]}|<s>user:a;[{\"n\": 1.5}]</s>",
        "{\"text\": \"t\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}|t (plain)",
      })
  void rowsBecomeText(String row, String text) throws IOException {
    Files.writeString(folder.resolve("a.jsonl"), row + "\n");
    assertThat(read("a.jsonl", "text")).containsExactly(text.replace("\\n", "\n"));
  }

  @Test
  void theKeyMayBeNamed() throws IOException {
    Files.writeString(
        folder.resolve("a.jsonl"),
        "{\"chosen\": [{\"role\": \"user\", \"content\": \"a\"}], \"messages\": []}\n");
    assertThat(read("a.jsonl", "chosen")).containsExactly("<s>user:a;</s>");
    assertThat(read("a.jsonl", "text")).as("nothing is said").isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{\"rows\": 1}|line 1: no string at \"text\", keys are [rows]; name the key with"
            + " --text-field; chats are read from messages",
        "{\"messages\": [{\"who\": \"a\"}]}|line 1: messages: found a message without role and"
            + " content, or from and value",
        "{\"conversations\": [{\"from\": \"a\", \"value\": \"b\"}]}|line 1: conversations: found"
            + " from \"a\", wanted human, gpt, system or tool",
      })
  void othersAreRefused(String row, String message) throws IOException {
    Files.writeString(folder.resolve("a.jsonl"), row + "\n");
    assertThatThrownBy(() -> read("a.jsonl", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aModelWithoutATemplateIsSaid() throws IOException {
    Files.writeString(folder.resolve("model/tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    Files.writeString(
        folder.resolve("a.jsonl"), "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n");
    assertThatThrownBy(() -> read("a.jsonl", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("line 1: found a chat", "no chat template", "chat_template.jinja");
  }

  /** As Transformers looks for it: the file goes before the config. */
  @Test
  void aTemplateOfItsOwnGoesFirst() throws IOException {
    Files.writeString(
        folder.resolve("model/chat_template.jinja"),
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif"
            + " %}own{{ bos_token }}");
    Files.writeString(
        folder.resolve("a.jsonl"),
        """
        {"messages": [{"role": "user", "content": "a"}]}
        {"messages": [{"role": "system", "content": "a"}]}
        """);
    try (Documents open =
        Documents.open(
            new org.apache.hadoop.fs.Path(folder.resolve("a.jsonl").toUri()),
            "text",
            chats(),
            CONF)) {
      assertThat(open.next()).isEqualTo("own<s>");
      assertThatThrownBy(open::next)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContainingAll("a.jsonl, line 2", "chat_template.jinja", "no system turn");
    }
    Files.writeString(folder.resolve("model/chat_template.jinja"), "{% nonsense %}");
    assertThatThrownBy(() -> read("a.jsonl", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("chat_template.jinja", "statement nonsense is not known");
  }

  @Test
  void parquetHoldsThemAsListsOfStructs() throws IOException {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            """
            message rows {
              optional binary id (STRING);
              optional group messages (LIST) {
                repeated group list {
                  optional group element {
                    optional binary role (STRING);
                    optional binary content (STRING);
                  }
                }
              }
            }
            """);
    try (ParquetWriter<Group> writer = writer("a.parquet", schema)) {
      for (String said : List.of("a", "b")) {
        Group row = new SimpleGroupFactory(schema).newGroup().append("id", "1");
        Group list = row.addGroup("messages");
        for (String role : List.of("user", "assistant")) {
          Group element = list.addGroup("list").addGroup("element");
          element.append("role", role).append("content", said);
        }
        writer.write(row);
      }
    }
    List<String> wanted = List.of("<s>user:a;assistant:a;</s>", "<s>user:b;assistant:b;</s>");
    assertThat(read("a.parquet", "text")).isEqualTo(wanted);
    assertThat(read("a.parquet", "messages")).isEqualTo(wanted);
    assertThatThrownBy(() -> read("a.parquet", "body"))
        .hasMessageContainingAll("no string column \"body\"", "[id, messages]");
  }

  @Test
  void parquetHoldsThemAsColumns() throws IOException {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            "message rows { required binary prompt (STRING); required binary completion (STRING);"
                + " }");
    try (ParquetWriter<Group> writer = writer("a.parquet", schema)) {
      writer.write(
          new SimpleGroupFactory(schema)
              .newGroup()
              .append("prompt", "a")
              .append("completion", "b"));
    }
    assertThat(read("a.parquet", "text")).containsExactly("<s>user:a;assistant:b;</s>");
    assertThat(read("a.parquet", "prompt")).containsExactly("a (plain)");
  }

  private ParquetWriter<Group> writer(String name, MessageType schema) throws IOException {
    return ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(folder.resolve(name).toUri()))
        .withConf(CONF)
        .withType(schema)
        .build();
  }
}
