package io.shardpress.spark.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts and small files as editors, shells and writers leave them. */
class BroughtTextTest {
  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  @TempDir Path temporary;

  private static List<String> lines;
  private Path model;

  @BeforeAll
  static void readLines() throws IOException {
    lines = Files.readAllLines(SampleFiles.FOLDER.resolve("heldout.jsonl")).subList(0, 30);
  }

  @BeforeEach
  void write() throws IOException {
    model = BroughtModel.in(temporary.resolve("m")).shards(true);
  }

  private CommandRun evaluate(Path text) {
    return CommandRun.of(
        "evaluate",
        model.toString(),
        model.toString(),
        "--text=" + text,
        "--sequence-length=32",
        "--master=local[2]",
        "--json");
  }

  private Path text(String name, String... rows) throws IOException {
    return Files.writeString(temporary.resolve(name), String.join("", rows));
  }

  private static String joined(String end) {
    return String.join(end, lines) + end;
  }

  private static byte[] marked(byte[] bytes) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(MARK);
    all.writeBytes(bytes);
    return all.toByteArray();
  }

  private void same(CommandRun wanted, CommandRun run, String... told) {
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.line()).isEqualTo(wanted.line());
    List<String> warnings = new ArrayList<>();
    run.err().lines().filter(line -> line.contains("skipped")).forEach(warnings::add);
    assertThat(warnings).hasSize(told.length);
    for (int i = 0; i < told.length; i++) {
      assertThat(warnings.get(i)).contains(told[i]);
    }
  }

  @Test
  void marksLineEndsAndEmptyRowsChangeNothing() throws IOException {
    CommandRun plain = evaluate(text("plain.jsonl", joined("\n")));
    assertThat(plain.code()).as(plain.err()).isZero();
    same(plain, evaluate(text("crlf.jsonl", joined("\r\n"))));
    Path marked = temporary.resolve("marked.jsonl");
    byte[] half = (String.join("\n", lines.subList(0, 15)) + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] rest =
        (String.join("\n", lines.subList(15, 30)) + "\n").getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream two = new ByteArrayOutputStream();
    two.writeBytes(marked(half));
    two.writeBytes(marked(rest));
    Files.write(marked, two.toByteArray());
    same(plain, evaluate(marked));
    Path empty =
        text("empty.jsonl", "null\n{\"text\": null}\n", joined("\n"), "{\"text\": \"\"}\n");
    same(plain, evaluate(empty), "skipped 3 rows without text");
  }

  @Test
  void plainTextHasOneKindOfLineEnd() throws IOException {
    String prose = String.join("\n", lines).replace("{\"text\": \"", "").replace("\\n", "\n");
    CommandRun plain = evaluate(text("plain.txt", prose));
    assertThat(plain.code()).as(plain.err()).isZero();
    Path other = temporary.resolve("windows.txt");
    Files.write(other, marked(prose.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8)));
    same(plain, evaluate(other));
  }

  @Test
  void twoValuesOnALineAreRefused() throws IOException {
    Path glued =
        text(
            "glued.jsonl",
            String.join("", lines.subList(0, 15)),
            "\n",
            String.join("\n", lines.subList(15, 30)));
    CommandRun run = evaluate(glued);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("glued.jsonl, line 1", "one value on a line");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"text\": \"a\", \"text\": \"b\"}",
        "{\"text\": \"half \\ud83d of one\"}",
        "{\"text\": \"a\"} x",
        "{\"text\": \"a\"},",
        "[{\"text\": \"a\"},"
      })
  void rowsThatSayTwoThingsAreRefused(String row) throws IOException {
    CommandRun run = evaluate(text("a.jsonl", lines.get(0), "\n", row, "\n"));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("a.jsonl, line 2");
  }

  @Test
  void textInTheEncodingOfWindowsIsRefusedWithTheRemedy() throws IOException {
    Path text = temporary.resolve("a.jsonl");
    Files.writeString(text, joined("\r\n"), StandardCharsets.UTF_16);
    CommandRun run = evaluate(text);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("a.jsonl", "UTF-8", "iconv");
  }

  @Test
  void marksBeforeSmallFilesAreSkipped() throws IOException {
    for (String name : List.of("config.json", "tokenizer.json", BroughtModel.INDEX)) {
      Path file = model.resolve(name);
      Files.write(file, marked(Files.readAllBytes(file)));
    }
    Path recipe = temporary.resolve("recipe.yaml");
    Files.write(
        recipe, marked("GPTQModifier: {scheme: W4A16}\r\n".getBytes(StandardCharsets.UTF_8)));
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            temporary.resolve("out").toString(),
            "--recipe=" + recipe,
            "--samples=8",
            "--sequence-length=16",
            "--master=local[2]",
            "--format=compressed-tensors",
            "--format=gguf",
            "--runtime=any");
    assertThat(run.code()).as(run.err()).isZero();
  }

  @Test
  void recipesInTheEncodingOfWindowsAreRefusedWithTheRemedy() throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, "GPTQModifier: {scheme: W4A16}\r\n", StandardCharsets.UTF_16);
    CommandRun run = CommandRun.of("plan", model.toString(), "--recipe=" + recipe);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("recipe.yaml", "UTF-8", "iconv");
  }
}
