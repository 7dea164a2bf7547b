package io.shardpress.schemas.safetensors;

import io.shardpress.schemas.CheckpointException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The element types of safetensors, under the names that stand in its headers. */
public enum Dtype {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private static final Map<String, Dtype> BY_NAME =
      Arrays.stream(values())
          .collect(Collectors.toUnmodifiableMap(Dtype::name, Function.identity()));

  private final int bits;

  Dtype(int bits) {
    this.bits = bits;
  }

  /** Width of an element in bits. */
  public int bits() {
    return bits;
  }

  /**
   * Bytes of that many elements, packed.
   *
   * @throws ArithmeticException where they overflow a long or do not fill whole bytes
   */
  public long bytes(long elements) {
    long total = Math.multiplyExact(elements, (long) bits);
    if (total % 8 != 0) {
      throw new ArithmeticException(elements + " elements of " + this + " do not fill whole bytes");
    }
    return total / 8;
  }

  /** The dtype of that name, if there is one. */
  public static Optional<Dtype> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /**
   * The dtype of that name.
   *
   * @throws CheckpointException where there is none
   */
  public static Dtype of(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new CheckpointException(
                    "unknown dtype \"" + name + "\"; known are " + Arrays.toString(values())));
  }
}
