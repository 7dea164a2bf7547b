package io.shardpress.schemas.safetensors;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes headers; the same tensors give the same bytes, whatever the map's own order is. */
final class HeaderWriter {
  private static final JsonMapper MAPPER = new JsonMapper();

  private HeaderWriter() {}

  static byte[] write(List<TensorSpec> inOrder, Map<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    // The length is not known yet.
    out.writeBytes(new byte[SafetensorsHeader.PREFIX_BYTES]);
    try (JsonGenerator json = MAPPER.createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(HeaderParser.METADATA);
        for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      tensors(json, inOrder);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (out.size() % 8 != 0) {
      out.write(' ');
    }
    byte[] bytes = out.toByteArray();
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(bytes.length - SafetensorsHeader.PREFIX_BYTES);
    return bytes;
  }

  private static void tensors(JsonGenerator json, List<TensorSpec> inOrder) throws IOException {
    Set<String> names = new HashSet<>();
    long at = 0;
    for (TensorSpec tensor : inOrder) {
      if (!names.add(tensor.name()) || tensor.name().equals(HeaderParser.METADATA)) {
        throw new IllegalArgumentException("tensor name \"" + tensor.name() + "\" is taken");
      }
      json.writeObjectFieldStart(tensor.name());
      json.writeStringField("dtype", tensor.dtype().name());
      json.writeArrayFieldStart("shape");
      for (long side : tensor.shape()) {
        json.writeNumber(side);
      }
      json.writeEndArray();
      long end = Math.addExact(at, tensor.bytes());
      json.writeArrayFieldStart("data_offsets");
      json.writeNumber(at);
      json.writeNumber(end);
      json.writeEndArray();
      json.writeEndObject();
      at = end;
    }
  }

  static List<TensorSpec> order(List<TensorSpec> tensors) {
    // Readers compare names by their bytes; String.compareTo would differ beyond U+FFFF.
    Comparator<TensorSpec> byName =
        (a, b) ->
            Arrays.compareUnsigned(
                a.name().getBytes(StandardCharsets.UTF_8),
                b.name().getBytes(StandardCharsets.UTF_8));
    return tensors.stream()
        .sorted(
            Comparator.comparingInt((TensorSpec t) -> t.dtype().bits())
                .reversed()
                .thenComparing(byName))
        .toList();
  }
}
