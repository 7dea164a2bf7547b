package io.shardpress.spark.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DocumentsTest {
  private static final Configuration CONF = new Configuration(false);

  @TempDir Path folder;

  private List<String> read(String name, String field) throws IOException {
    List<String> documents = new ArrayList<>();
    try (Documents open =
        Documents.open(new org.apache.hadoop.fs.Path(folder.resolve(name).toUri()), field, CONF)) {
      open.forEachRemaining(documents::add);
    }
    return documents;
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  @Test
  void jsonLines() throws IOException {
    write(
        "a.jsonl",
        "{\"text\": \"one\\ntwo\", \"id\": 1}\r\n\n   \n{\"id\": 2, \"text\": \" é🙂 \"}\n{\"text\": \" \\n\"}\n{\"text\": \"last\"}");
    assertThat(read("a.jsonl", "text")).containsExactly("one\ntwo", " é🙂 ", "last");
  }

  @Test
  void anotherKey() throws IOException {
    write("a.jsonl", "{\"text\": \"no\", \"body\": \"yes\"}\n");
    assertThat(read("a.jsonl", "body")).containsExactly("yes");
  }

  @Test
  void plainTextIsOneDocument() throws IOException {
    write("a.txt", "one\n\ntwo\n");
    assertThat(read("a.txt", "text")).containsExactly("one\n\ntwo\n");
  }

  @Test
  void gzip() throws IOException {
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(folder.resolve("a.jsonl.gz")))) {
      out.write("{\"text\": \"packed\"}\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    assertThat(read("a.jsonl.gz", "text")).containsExactly("packed");
  }

  @Test
  void parquet() throws IOException {
    MessageType schema =
        MessageTypeParser.parseMessageType(
            "message m { required int64 id; optional binary text (UTF8); required double x; }");
    org.apache.hadoop.fs.Path file =
        new org.apache.hadoop.fs.Path(folder.resolve("a.parquet").toUri());
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(file).withConf(CONF).withType(schema).build()) {
      SimpleGroupFactory groups = new SimpleGroupFactory(schema);
      writer.write(groups.newGroup().append("id", 1L).append("text", "eins ä").append("x", 1.0));
      writer.write(groups.newGroup().append("id", 2L).append("x", 2.0));
      writer.write(groups.newGroup().append("id", 3L).append("text", "drei").append("x", 3.0));
    }
    assertThat(read("a.parquet", "text")).containsExactly("eins ä", "drei");
    assertThatThrownBy(() -> read("a.parquet", "id"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("no string column \"id\", columns are [id, text, x]");
  }

  @Test
  void aFolderGivesItsFilesInOrder() throws IOException {
    write("b.txt", "second");
    write("a.jsonl", "{\"text\": \"first\"}\n");
    write("_SUCCESS", "");
    assertThat(read(".", "text")).containsExactly("first", "second");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"text\": \"a\"}\\n{\"text\": |line 2: no JSON: ",
        "{\"text\": \"a\"}\\n\\n{\"body\": \"a\", \"n\": 1}|line 3: no string at \"text\", keys are [body, n]; name the key with --text-field",
        "{\"text\": 7}|line 1: no string at \"text\"",
        "[\"text\"]|line 1: no string at \"text\"",
      })
  void brokenLinesAreNamed(String text, String message) throws IOException {
    write("a.jsonl", text.replace("\\n", "\n"));
    assertThatThrownBy(() -> read("a.jsonl", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("a.jsonl, " + message)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  @Test
  void bytesThatAreNoUtf8AreRefused() throws IOException {
    for (String name : List.of("a.txt", "a.jsonl")) {
      Files.write(folder.resolve(name), new byte[] {'{', (byte) 0xff, '}'});
      assertThatThrownBy(() -> read(name, "text"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(name + " is not UTF-8");
    }
  }

  @Test
  void whatCannotBeTextIsRefused() throws IOException {
    write("a.csv", "text\n");
    assertThatThrownBy(() -> read("a.csv", "text"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("a.csv is none of .jsonl, .parquet and .txt");
    assertThatThrownBy(() -> read("none.txt", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("none.txt does not exist");
    write("a.parquet", "PAR0");
    assertThatThrownBy(() -> read("a.parquet", "text")).isInstanceOf(CheckpointException.class);
    Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> read("empty", "text"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("folder without files");
  }
}
