package io.shardpress.schemas.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.schemas.CheckpointException;

/** A line of .jsonl: one JSON value, whole. */
public final class JsonRow {
  /** NaN and infinities stand in what Python writes, beside the text. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonRow() {}

  /**
   * The value of a line; JSON's null is a node, too.
   *
   * @param where file and line, for messages
   * @throws CheckpointException where the line is no JSON, more than one value, or an object that
   *     has a key twice: readers would take one and leave out the other
   */
  public static JsonNode parse(String where, String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("");
      boolean more = reason.startsWith("Trailing token");
      throw new CheckpointException(
          where
              + (more
                  ? ": more JSON after the value's end, wanted one value on a line; put a line"
                      + " break between them"
                  : ": no JSON: " + reason),
          e);
    }
  }

  /**
   * The text of a string node.
   *
   * @throws CheckpointException where it has half of a surrogate pair, which no UTF-8 holds and
   *     tokenizers would replace by a question mark
   */
  public static String text(String where, JsonNode node) {
    String text = node.asText();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new CheckpointException(
            where
                + ": found half of a surrogate pair, \\u"
                + Integer.toHexString(c)
                + ", which is no character; write the text's characters whole");
      }
    }
    return text;
  }
}
