package io.shardpress.schemas.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.WrongContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Opens JSON text so that what two readers could understand in two ways is an error. */
public final class StrictJson {
  /** Keys are names of tensors, nearly each another: a table of those seen would only grow. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  /** Python's json module writes NaN and Infinity, so config files hold them. */
  private static final JsonMapper CONFIGS =
      JsonMapper.builder(FACTORY.copy())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** By the letter of RFC 8259. */
  private static final JsonMapper EXACT =
      JsonMapper.builder(FACTORY.copy())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private StrictJson() {}

  /**
   * A parser before the first token of {@code json}; a key that occurs twice in an object fails,
   * and so do NaN and infinities.
   *
   * @param file the name to put in messages
   * @throws CheckpointException where the bytes are not UTF-8
   */
  public static JsonParser parser(String file, byte[] json) {
    return parser(EXACT, file, json);
  }

  private static JsonParser parser(JsonMapper mapper, String file, byte[] json) {
    String text = utf8(file, json);
    try {
      return mapper.createParser(text);
    } catch (IOException e) {
      throw syntax(file, e);
    }
  }

  /**
   * The object that {@code json} is, whole; NaN and infinities may stand in it, and a byte order
   * mark before it.
   *
   * @throws CheckpointException where it is not UTF-8, not JSON, not an object, or has a key twice
   */
  public static ObjectNode object(String file, byte[] json) {
    WrongContent.of(json)
        .ifPresent(
            what -> {
              throw new CheckpointException(file + ": found " + what);
            });
    try (JsonParser parser = parser(CONFIGS, file, json)) {
      JsonNode node = CONFIGS.readTree(parser);
      if (!(node instanceof ObjectNode object)) {
        throw new CheckpointException(
            file
                + ": found "
                + (node == null ? "an empty file" : "a JSON " + node.getNodeType())
                + ", wanted a JSON object; fetch the file again");
      }
      if (parser.nextToken() != null) {
        throw new CheckpointException(
            file
                + ": found more JSON after the end of the object at character "
                + parser.currentTokenLocation().getCharOffset()
                + "; fetch the file again");
      }
      return object;
    } catch (IOException e) {
      throw syntax(file, e);
    }
  }

  /** The exception for what Jackson found wrong with {@code file}, in one line. */
  public static CheckpointException syntax(String file, IOException cause) {
    String where = "";
    String what = String.valueOf(cause.getMessage());
    if (cause instanceof JsonProcessingException json) {
      what = String.valueOf(json.getOriginalMessage());
      if (json.getLocation() != null) {
        where = " at character " + json.getLocation().getCharOffset();
      }
    }
    String line = what.lines().findFirst().orElse("");
    return new CheckpointException(
        file + ": bad JSON" + where + ": " + line + "; fetch the file again", cause);
  }

  private static String utf8(String file, byte[] bytes) {
    int mark = ByteOrderMark.length(bytes);
    ByteBuffer in = ByteBuffer.wrap(bytes, mark, bytes.length - mark);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT)
            .decode(in, out, true);
    if (result.isError()) {
      try {
        result.throwException();
      } catch (CharacterCodingException e) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: bad UTF-8 in the JSON text: found byte 0x%02x at its byte %d; fetch the file"
                    + " again",
                file,
                bytes[in.position()] & 0xff,
                in.position()),
            e);
      }
    }
    return out.flip().toString();
  }
}
