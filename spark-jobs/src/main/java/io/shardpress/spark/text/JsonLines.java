package io.shardpress.spark.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.CheckpointException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A document per line: {"text": "…"}. Blank lines are skipped. */
final class JsonLines implements TextFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String source;
  private final BufferedReader reader;
  private final String field;
  private final ChatRows chats;
  private boolean templated;
  private long lineNumber;

  JsonLines(String source, BufferedReader reader, String field, ChatRows chats) {
    this.chats = chats;
    this.source = source;
    this.reader = reader;
    this.field = field;
  }

  @Override
  public String read() throws IOException {
    String line = line();
    while (line != null && line.isBlank()) {
      line = line();
    }
    return line == null ? null : text(line);
  }

  @Override
  public boolean templated() {
    return templated;
  }

  private String line() throws IOException {
    lineNumber++;
    try {
      return reader.readLine();
    } catch (CharacterCodingException e) {
      throw TextFile.notUtf8(source, e);
    }
  }

  private String text(String line) {
    JsonNode document;
    try {
      document = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("");
      throw new CheckpointException(where() + ": no JSON: " + reason, e);
    }
    JsonNode text = document.path(field);
    templated = false;
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
    return text.asText();
  }

  private String where() {
    return "text " + source + ", line " + lineNumber;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
