package io.shardpress.schemas.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged headers of the sample: whatever is done to one, it is read as tensors that fill the file,
 * or rejected by a message of one line; nothing else is thrown, and memory stays in proportion.
 */
class HeaderFuzzTest {
  private static final int CASES = 6000;
  private static final String FILE = "f.safetensors";

  /** Pieces that a damaged or hostile header could hold where a good one does not. */
  private static final List<String> PIECES =
      List.of(
          "-1",
          "9223372036854775807",
          "18446744073709551616",
          "1e9",
          "0",
          "null",
          "\"",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "\"dtype\":\"F4\",",
          "\"shape\":[0],",
          "\u0000",
          "\"__metadata__\"",
          "\\ud800",
          "\\n",
          "F64",
          "I8",
          " ",
          "[4294967296,4294967296]",
          "\"data_offsets\":[0,0],");

  private final Random random = new Random(20260101);

  @Test
  void aDamagedHeaderIsReadWholeOrRejected() throws IOException {
    byte[] file =
        Files.readAllBytes(Path.of("../samples/sample-llama/model-00002-of-00002.safetensors"));
    int header = 8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] good = Arrays.copyOf(file, header);
    int dataBytes = file.length - header;
    int read = 0;
    int rejected = 0;
    check(parse(good, file.length), file.length);
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 0; i < CASES; i++) {
      byte[] damaged = damage(good);
      long length =
          damaged.length + (random.nextInt(4) == 0 ? random.nextInt(9) - 4L : 0) + dataBytes;
      long before = memory.getCurrentThreadAllocatedBytes();
      SafetensorsHeader parsed = null;
      CheckpointException error = null;
      try {
        parsed = parse(damaged, length);
      } catch (CheckpointException e) {
        error = e;
      }
      long allocated = memory.getCurrentThreadAllocatedBytes() - before;
      // A header as long as the file is held as bytes, as characters and as a string.
      assertThat(allocated).as("bytes allocated in case %d", i).isLessThan(8 * length);
      if (parsed != null) {
        check(parsed, length);
        read++;
      } else {
        assertThat(error).hasMessageStartingWith(FILE + ": ");
        assertThat(error.getMessage().lines().count()).isEqualTo(1);
        rejected++;
      }
    }
    // Some damage must be harmless and most must not, or the damage was of the wrong kind.
    assertThat(read).isGreaterThan(CASES / 100);
    assertThat(rejected).isGreaterThan(CASES / 2);
  }

  private static SafetensorsHeader parse(byte[] start, long fileLength) {
    byte[] prefix = Arrays.copyOf(start, Math.min(8, start.length));
    int length = SafetensorsHeader.headerLength(FILE, fileLength, prefix);
    // What lies beyond the damaged header is tensor data; zeros stand for it.
    return SafetensorsHeader.parse(FILE, fileLength, Arrays.copyOfRange(start, 8, 8 + length));
  }

  /** What every reader relies on, by arithmetic that cannot overflow. */
  private static void check(SafetensorsHeader header, long fileLength) {
    long at = header.dataStart();
    for (TensorInfo tensor : header.tensors()) {
      assertThat(header.dataStart() + tensor.begin()).isEqualTo(at);
      BigInteger bits = BigInteger.valueOf(tensor.dtype().bits());
      for (long side : tensor.shape()) {
        bits = bits.multiply(BigInteger.valueOf(side));
      }
      assertThat(bits).isEqualTo(BigInteger.valueOf(tensor.length()).shiftLeft(3));
      at += tensor.length();
    }
    assertThat(at).isEqualTo(fileLength);
  }

  private byte[] damage(byte[] good) {
    List<Byte> bytes = new ArrayList<>();
    for (byte b : good) {
      bytes.add(b);
    }
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      once(bytes);
    }
    byte[] damaged = new byte[bytes.size()];
    for (int i = 0; i < damaged.length; i++) {
      damaged[i] = bytes.get(i);
    }
    if (random.nextInt(3) > 0 && damaged.length >= 8) {
      // With a length that fits, the damage reaches the parser of the text.
      ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(damaged.length - 8);
    }
    return damaged;
  }

  private void once(List<Byte> bytes) {
    int at = random.nextInt(bytes.size());
    switch (random.nextInt(8)) {
      case 0 -> bytes.set(at, (byte) random.nextInt(256));
      case 1 -> bytes.set(at, (byte) (bytes.get(at) ^ (1 << random.nextInt(8))));
      case 2 -> bytes.subList(at, Math.min(bytes.size(), at + 1 + random.nextInt(40))).clear();
      case 3 -> bytes.subList(at, bytes.size()).clear();
      case 4 -> insert(bytes, at, PIECES.get(random.nextInt(PIECES.size())));
      case 5 ->
          bytes.addAll(
              at,
              new ArrayList<>(bytes.subList(at, Math.min(bytes.size(), at + random.nextInt(200)))));
      case 6 -> bytes.set(random.nextInt(Math.min(8, bytes.size())), (byte) random.nextInt(256));
      default -> digit(bytes, at);
    }
    if (bytes.isEmpty()) {
      bytes.add((byte) 0);
    }
  }

  private static void insert(List<Byte> bytes, int at, String piece) {
    byte[] more = piece.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < more.length; i++) {
      bytes.add(at + i, more[i]);
    }
  }

  /** Another digit for the next one in the text: offsets and shapes that almost fit. */
  private void digit(List<Byte> bytes, int from) {
    for (int i = from; i < bytes.size(); i++) {
      if (Character.isDigit(bytes.get(i))) {
        bytes.set(i, (byte) ('0' + random.nextInt(10)));
        return;
      }
    }
  }
}
