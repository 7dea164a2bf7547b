package io.shardpress.spark.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.text.JsonRow;
import io.shardpress.schemas.text.TextLines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A document per line: {"text": "…"}. Blank lines are skipped; a row of null has no text. */
final class JsonLines implements TextFile {
  private final String source;
  private final TextLines lines;
  private final String field;

  JsonLines(String source, TextLines lines, String field) {
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

  private String text(String line) {
    JsonNode document = JsonRow.parse(where(), line);
    JsonNode text = document.path(field);
    if (document.isNull() || text.isNull()) {
      return "";
    }
    if (!text.isTextual()) {
      List<String> keys = new ArrayList<>();
      document.fieldNames().forEachRemaining(keys::add);
      throw new CheckpointException(
          "%s: no string at \"%s\", keys are %s; name the key with --text-field"
              .formatted(where(), field, keys));
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
