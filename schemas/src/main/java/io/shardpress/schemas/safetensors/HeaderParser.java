package io.shardpress.schemas.safetensors;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.StrictJson;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads the JSON of a header token by token; {@link HeaderLayout} then checks the offsets. */
final class HeaderParser {
  static final String METADATA = "__metadata__";

  private final String file;
  private final long fileLength;
  private final byte[] json;

  HeaderParser(String file, long fileLength, byte[] json) {
    this.file = file;
    this.fileLength = fileLength;
    this.json = json;
  }

  SafetensorsHeader parse() {
    if (json.length == 0 || json[0] != '{') {
      String found =
          json.length == 0 ? "nothing" : String.format(Locale.ROOT, "byte 0x%02x", json[0] & 0xff);
      throw bad("found " + found + " at offset 8, wanted the '{' that starts a safetensors header");
    }
    List<TensorInfo> tensors = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonParser parser = StrictJson.parser(file, json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals(METADATA)) {
          metadata(parser, metadata);
        } else {
          tensors.add(tensor(parser, name));
        }
      }
      if (parser.nextToken() != null) {
        throw bad(
            "found more than spaces after the header's JSON object, at header character "
                + parser.currentTokenLocation().getCharOffset());
      }
    } catch (IOException e) {
      throw StrictJson.syntax(file, e);
    }
    long dataStart = SafetensorsHeader.PREFIX_BYTES + (long) json.length;
    List<TensorInfo> inOrder = new HeaderLayout(file, dataStart, fileLength).check(tensors);
    return new SafetensorsHeader(dataStart, inOrder, Collections.unmodifiableMap(metadata));
  }

  private void metadata(JsonParser parser, Map<String, String> into) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw bad(METADATA + ": found " + parser.getText() + ", wanted an object of strings");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw bad(METADATA + ", key \"" + key + "\": found no string; all values must be strings");
      }
      unicode(METADATA + " key", key);
      unicode(METADATA + " value", parser.getText());
      into.put(key, parser.getText());
    }
  }

  private TensorInfo tensor(JsonParser parser, String name) throws IOException {
    unicode("tensor name", name);
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw bad(
          name, "found " + parser.getText() + ", wanted {\"dtype\",\"shape\",\"data_offsets\"}");
    }
    String dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "dtype" -> dtype = text(parser, name);
        case "shape" -> shape = numbers(parser, name, key);
        case "data_offsets" -> offsets = numbers(parser, name, key);
        // The format's own reader passes over keys that it does not know.
        default -> parser.skipChildren();
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      String key = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw bad(name, "found no \"" + key + "\"");
    }
    if (offsets.size() != 2) {
      throw bad(name, "found data_offsets " + offsets + ", wanted [begin, end]");
    }
    String dtypeName = dtype;
    Dtype type =
        Dtype.find(dtypeName)
            .orElseThrow(
                () ->
                    bad(
                        name,
                        "found dtype \""
                            + dtypeName
                            + "\", wanted one of "
                            + List.of(Dtype.values())));
    return new TensorInfo(name, type, shape, offsets.get(0), offsets.get(1));
  }

  private String text(JsonParser parser, String name) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw bad(name, "found dtype " + parser.getText() + ", wanted a string");
    }
    return parser.getText();
  }

  private List<Long> numbers(JsonParser parser, String name, String key) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw bad(name, "found " + key + " " + parser.getText() + ", wanted a list of integers");
    }
    List<Long> numbers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw bad(name, "found " + parser.getText() + " in " + key + ", wanted an integer");
      }
      BigInteger value = parser.getBigIntegerValue();
      // -0 too: readers of the format take no sign.
      if (parser.getText().startsWith("-") || value.bitLength() > 63) {
        throw bad(
            name, "found " + parser.getText() + " in " + key + ", wanted 0 … " + Long.MAX_VALUE);
      }
      numbers.add(value.longValue());
    }
    return numbers;
  }

  /** JSON can escape half of a surrogate pair; such a text cannot be written as UTF-8 again. */
  private void unicode(String what, String name) {
    boolean lone =
        name.codePoints()
            .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    if (lone) {
      throw bad("found half a surrogate pair in the " + what + " \"" + name + "\"");
    }
  }

  private CheckpointException bad(String name, String what) {
    return bad("tensor " + name + ": " + what);
  }

  private CheckpointException bad(String what) {
    return new CheckpointException(file + ": " + what + "; the file is damaged, fetch it again");
  }
}
