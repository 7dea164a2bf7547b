package io.shardpress.spark.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.text.JsonRow;
import io.shardpress.schemas.text.TextLines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A document per line: {"text": "…"}. Blank lines are skipped; a row of null has no text. */
final class JsonLines implements TextFile {
  private final String source;
  private final TextLines lines;
  private final String field;
  private final ChatRows chats;
  private boolean templated;

  JsonLines(String source, TextLines lines, String field, ChatRows chats) {
    this.chats = chats;
    this.source = source;
    this.lines = lines;
    this.field = field;
  }

  @Override
  public String read() throws IOException {
    String line = lines.next();
    while (line != null && line.isBlank()) {
      line = lines.next();
    }
    return line == null ? null : text(line);
  }

  @Override
  public boolean templated() {
    return templated;
  }

  private String text(String line) {
    JsonNode document = JsonRow.parse(where(), line);
    JsonNode text = document.path(field);
    templated = false;
    if (document.isNull() || text.isNull()) {
      return "";
    }
    if (!text.isTextual()) {
      Optional<String> chat = chats.text(document, field, where());
      if (chat.isPresent()) {
        templated = true;
        return chat.get();
      }
      List<String> keys = new ArrayList<>();
      document.fieldNames().forEachRemaining(keys::add);
      throw new CheckpointException(
          "%s: no string at \"%s\", keys are %s; name the key with --text-field; %s"
              .formatted(where(), field, keys, ChatRows.wanted()));
    }
    return JsonRow.text(where(), text);
  }

  private String where() {
    return "text " + source + ", line " + lines.number();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
