package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A GGUF file, or the files of a split one, read by the format's definition alone. */
public final class GgufReader {
  private static final Map<Integer, Integer> BLOCK_ELEMENTS =
      Map.of(0, 1, 1, 1, 30, 1, 2, 32, 3, 32, 8, 32, 12, 256, 14, 256);
  private static final Map<Integer, Integer> BLOCK_BYTES =
      Map.of(0, 4, 1, 2, 30, 2, 2, 18, 3, 20, 8, 34, 12, 144, 14, 210);

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new TreeMap<>();

  /**
   * A tensor.
   *
   * @param type its number
   * @param shape in C order, the file's reversed
   */
  public record Tensor(int type, List<Long> shape, ByteBuffer bytes) {
    /** The weights that the blocks stand for, row by row. */
    public float[] weights() {
      long count = shape.stream().reduce(1L, (a, b) -> a * b);
      float[] weights = new float[(int) count];
      int elements = BLOCK_ELEMENTS.get(type);
      for (int i = 0; i < count; i += elements) {
        int at = i / elements * BLOCK_BYTES.get(type);
        for (int j = 0; j < elements; j++) {
          weights[i + j] = weight(at, j);
        }
      }
      return weights;
    }

    private float weight(int at, int j) {
      return switch (type) {
        case 0 -> bytes.getFloat(at);
        case 1 -> half(at);
        case 30 -> Float.intBitsToFloat(bytes.getShort(at) << 16);
        case 2 -> (nibble(at + 2, j) - 8) * half(at);
        case 3 -> nibble(at + 4, j) * half(at) + half(at + 2);
        case 8 -> bytes.get(at + 2 + j) * half(at);
        case 12 -> q4k(at, j);
        case 14 -> q6k(at, j);
        default -> throw new IllegalStateException("type " + type);
      };
    }

    private int unsigned(int at) {
      return bytes.get(at) & 0xFF;
    }

    private int nibble(int at, int j) {
      return unsigned(at + j % 16) >> (j / 16 * 4) & 15;
    }

    private float q4k(int at, int i) {
      int scales = at + 4;
      int j = i / 32;
      int sc;
      int m;
      if (j < 4) {
        sc = unsigned(scales + j) & 63;
        m = unsigned(scales + j + 4) & 63;
      } else {
        sc = (unsigned(scales + j + 4) & 15) | (unsigned(scales + j - 4) >> 6 << 4);
        m = unsigned(scales + j + 4) >> 4 | unsigned(scales + j) >> 6 << 4;
      }
      int n = unsigned(at + 16 + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15;
      return half(at) * sc * n - half(at + 2) * m;
    }

    private float q6k(int at, int i) {
      int l = i % 32;
      int low = unsigned(at + i / 128 * 64 + i / 32 % 2 * 32 + l) >> (i / 64 % 2 * 4) & 15;
      int high = unsigned(at + 128 + i / 128 * 32 + l) >> (i / 32 % 4 * 2) & 3;
      return half(at + 208) * bytes.get(at + 192 + i / 16) * ((low | high << 4) - 32);
    }

    private float half(int at) {
      int bits = bytes.getShort(at) & 0xFFFF;
      int exponent = bits >> 10 & 31;
      int mantissa = bits & 1023;
      float magnitude =
          exponent == 0
              ? Math.scalb((float) mantissa, -24)
              : Math.scalb((float) (mantissa | 1024), exponent - 25);
      return bits >> 15 == 0 ? magnitude : -magnitude;
    }
  }

  /**
   * @param files the first holds the metadata
   */
  public GgufReader(Path... files) throws IOException {
    for (Path file : files) {
      read(file);
    }
  }

  /** Values by key; arrays are lists. */
  public Map<String, Object> metadata() {
    return metadata;
  }

  /** Tensors by name. */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  private void read(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(in.getInt()).isEqualTo('G' | 'G' << 8 | 'U' << 16 | 'F' << 24);
    assertThat(in.getInt()).isEqualTo(3);
    long count = in.getLong();
    long keys = in.getLong();
    for (long i = 0; i < keys; i++) {
      String key = text(in);
      metadata.put(key, value(in, in.getInt()));
    }
    List<String> names = new ArrayList<>();
    List<List<Long>> shapes = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    List<Long> offsets = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      names.add(text(in));
      List<Long> shape = new ArrayList<>();
      int sides = in.getInt();
      for (int side = 0; side < sides; side++) {
        shape.add(0, in.getLong());
      }
      shapes.add(shape);
      types.add(in.getInt());
      offsets.add(in.getLong());
    }
    long data = (in.position() + 31L) / 32 * 32;
    long next = 0;
    for (int i = 0; i < count; i++) {
      assertThat(offsets.get(i)).as(names.get(i)).isEqualTo(next);
      long elements = shapes.get(i).stream().reduce(1L, (a, b) -> a * b);
      int type = types.get(i);
      int bytes = (int) (elements / BLOCK_ELEMENTS.get(type) * BLOCK_BYTES.get(type));
      ByteBuffer slice = in.slice((int) (data + next), bytes).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(tensors.put(names.get(i), new Tensor(type, shapes.get(i), slice))).isNull();
      next += (bytes + 31L) / 32 * 32;
    }
    assertThat(data + next).as("size of %s", file).isEqualTo(in.capacity());
  }

  private static String text(ByteBuffer in) {
    byte[] bytes = new byte[(int) in.getLong()];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Object value(ByteBuffer in, int type) {
    return switch (type) {
      case 2 -> in.getShort() & 0xFFFF;
      case 4, 5 -> in.getInt();
      case 6 -> in.getFloat();
      case 7 -> in.get() != 0;
      case 8 -> text(in);
      case 9 -> {
        int element = in.getInt();
        long count = in.getLong();
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < count; i++) {
          values.add(value(in, element));
        }
        yield values;
      }
      default -> throw new IllegalStateException("type " + type + " of a value");
    };
  }
}
