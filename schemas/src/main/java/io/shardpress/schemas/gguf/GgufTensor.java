package io.shardpress.schemas.gguf;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A tensor of a GGUF file.
 *
 * @param name of less than 64 bytes
 * @param shape in C order, as Hugging Face has it; the file has it reversed
 */
public record GgufTensor(String name, GgufType type, List<Long> shape) implements Serializable {
  private static final int NAME_LIMIT = 64;

  public GgufTensor {
    shape = List.copyOf(shape);
    if (name.getBytes(StandardCharsets.UTF_8).length >= NAME_LIMIT) {
      throw new IllegalArgumentException(
          "tensor name " + name + " is too long, want less than " + NAME_LIMIT + " bytes");
    }
    if (shape.isEmpty() || !type.divides(shape.get(shape.size() - 1))) {
      throw new IllegalArgumentException(
          name + ": rows of shape " + shape + " do not split into blocks of " + type);
    }
  }

  /** Bytes of its blocks, without what aligns the next tensor. */
  public long bytes() {
    return type.bytes(shape.stream().reduce(1L, Math::multiplyExact));
  }

  /** Bytes of a row: of what the last side counts. */
  public long rowBytes() {
    return type.bytes(shape.get(shape.size() - 1));
  }
}
