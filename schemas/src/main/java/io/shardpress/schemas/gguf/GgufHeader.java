package io.shardpress.schemas.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * What comes before the data of a GGUF v3 file: magic, version, counts, metadata, and a name, a
 * shape, a type and an offset for each tensor; little-endian. Data begins at the next multiple of
 * {@link #ALIGNMENT}, and so does each tensor in it.
 */
public final class GgufHeader {
  /** Bytes, the default, which needs no key. */
  public static final int ALIGNMENT = 32;

  private static final int VERSION = 3;
  private static final int U16 = 2;
  private static final int U32 = 4;
  private static final int I32 = 5;
  private static final int F32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private GgufHeader() {}

  /**
   * The header's bytes, padded: the data follow at once.
   *
   * @param metadata in the order in which it is written
   * @param tensors in the order of their data
   */
  public static byte[] write(Map<String, GgufValue> metadata, List<GgufTensor> tensors) {
    GgufHeader header = new GgufHeader();
    header.bytes.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    header.number(VERSION, 4);
    header.number(tensors.size(), 8);
    header.number(metadata.size(), 8);
    metadata.forEach(
        (key, value) -> {
          header.text(key);
          header.value(value);
        });
    long offset = 0;
    for (GgufTensor tensor : tensors) {
      header.text(tensor.name());
      header.number(tensor.shape().size(), 4);
      for (int side = tensor.shape().size() - 1; side >= 0; side--) {
        header.number(tensor.shape().get(side), 8);
      }
      header.number(tensor.type().id(), 4);
      header.number(offset, 8);
      offset += padded(tensor.bytes());
    }
    header.bytes.writeBytes(new byte[padding(header.bytes.size())]);
    return header.bytes.toByteArray();
  }

  /** Zeros that follow {@code length} bytes. */
  public static int padding(long length) {
    return (int) (padded(length) - length);
  }

  private static long padded(long length) {
    return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private void value(GgufValue value) {
    if (value instanceof GgufValue.U16 one) {
      number(U16, 4);
      number(one.value(), 2);
    } else if (value instanceof GgufValue.U32 one) {
      number(U32, 4);
      number(one.value(), 4);
    } else if (value instanceof GgufValue.I32 one) {
      number(I32, 4);
      number(one.value(), 4);
    } else if (value instanceof GgufValue.F32 one) {
      number(F32, 4);
      number(Float.floatToRawIntBits(one.value()), 4);
    } else if (value instanceof GgufValue.Bool one) {
      number(BOOL, 4);
      number(one.value() ? 1 : 0, 1);
    } else if (value instanceof GgufValue.Text one) {
      number(STRING, 4);
      text(one.value());
    } else if (value instanceof GgufValue.Texts many) {
      array(STRING, many.values().size());
      many.values().forEach(this::text);
    } else if (value instanceof GgufValue.Floats many) {
      array(F32, many.values().size());
      many.values().forEach(one -> number(Float.floatToRawIntBits(one), 4));
    } else if (value instanceof GgufValue.Ints many) {
      array(I32, many.values().size());
      many.values().forEach(one -> number(one, 4));
    }
  }

  private void array(int type, int count) {
    number(ARRAY, 4);
    number(type, 4);
    number(count, 8);
  }

  private void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length, 8);
    bytes.writeBytes(utf8);
  }

  /** The {@code width} lower bytes. */
  private void number(long number, int width) {
    byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
    bytes.write(all, 0, width);
  }
}
