package io.shardpress.schemas.safetensors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Files written by hand, without the code under test. */
final class RawFile {
  private RawFile() {}

  /** Length prefix, the text as it is, and that many zero bytes. */
  static byte[] of(String json, int dataBytes) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
    out.writeBytes(text);
    out.writeBytes(new byte[dataBytes]);
    return out.toByteArray();
  }

  /** Reads a whole file held in memory, the way that every reader must. */
  static SafetensorsHeader read(byte[] file) {
    byte[] prefix = Arrays.copyOf(file, Math.min(8, file.length));
    int length = SafetensorsHeader.headerLength("f.safetensors", file.length, prefix);
    byte[] json = Arrays.copyOfRange(file, 8, 8 + length);
    return SafetensorsHeader.parse("f.safetensors", file.length, json);
  }
}
