package io.shardpress.schemas.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damage that knows nothing: flipped, lost, repeated and foreign bytes. */
public final class ByteDamage {
  private static final List<String> PIECES =
      List.of(
          "-1",
          "9223372036854775807",
          "18446744073709551616",
          "1e9",
          "0",
          "null",
          "NaN",
          "\"",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "\\",
          "'",
          "#",
          "&a ",
          "*a",
          "!!int ",
          "---\n",
          "- ",
          "? ",
          "| ",
          "\t",
          "\n",
          "\r",
          " ",
          "\u0000",
          "\ufeff",
          "\u0085",
          "\\ud800",
          "\\n",
          "\"dtype\":\"F4\",",
          "\"shape\":[0],",
          "\"__metadata__\"",
          "\"data_offsets\":[0,0],");

  private final Random random;

  public ByteDamage(Random random) {
    this.random = random;
  }

  /** The bytes after one to three changes. */
  public byte[] damage(byte[] good) {
    byte[] damaged = good.clone();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      damaged = once(damaged);
    }
    return damaged;
  }

  private byte[] once(byte[] bytes) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt(256)};
    }
    int at = random.nextInt(bytes.length);
    int end = Math.min(bytes.length, at + 1 + random.nextInt(200));
    return switch (random.nextInt(8)) {
      case 0 -> put(bytes, at, (byte) random.nextInt(256));
      case 1 -> put(bytes, at, (byte) (bytes[at] ^ 1 << random.nextInt(8)));
      case 2 -> joined(bytes, at, new byte[0], Math.min(bytes.length, at + 1 + random.nextInt(40)));
      case 3 -> Arrays.copyOf(bytes, at);
      case 4 -> joined(bytes, at, piece(), at);
      case 5 -> joined(bytes, at, Arrays.copyOfRange(bytes, at, end), at);
      case 6 -> {
        byte[] other = new byte[1 + random.nextInt(8)];
        random.nextBytes(other);
        yield joined(bytes, at, other, Math.min(bytes.length, at + other.length));
      }
      default -> digit(bytes, at);
    };
  }

  private byte[] piece() {
    return PIECES.get(random.nextInt(PIECES.size())).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] put(byte[] bytes, int at, byte value) {
    bytes[at] = value;
    return bytes;
  }

  private static byte[] joined(byte[] bytes, int until, byte[] between, int from) {
    byte[] joined = Arrays.copyOf(bytes, until + between.length + bytes.length - from);
    System.arraycopy(between, 0, joined, until, between.length);
    System.arraycopy(bytes, from, joined, until + between.length, bytes.length - from);
    return joined;
  }

  /** Another digit for the next one in the text: numbers that almost fit. */
  private byte[] digit(byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (Character.isDigit(bytes[i])) {
        return put(bytes, i, (byte) ('0' + random.nextInt(10)));
      }
    }
    return bytes;
  }
}
