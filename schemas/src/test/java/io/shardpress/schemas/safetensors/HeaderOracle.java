package io.shardpress.schemas.safetensors;

import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.Json.Array;
import io.shardpress.schemas.fuzz.Json.Mapping;
import io.shardpress.schemas.fuzz.Json.Scalar;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rules of safetensors read a second time, in whole numbers of any size: which files are good,
 * and what tensors they hold. Empty where a rule is broken.
 */
final class HeaderOracle {
  private static final BigInteger LARGEST = BigInteger.valueOf(Long.MAX_VALUE);

  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("F4", 4),
          Map.entry("F6_E2M3", 6),
          Map.entry("F6_E3M2", 6),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("F8_E4M3FNUZ", 8),
          Map.entry("F8_E5M2FNUZ", 8),
          Map.entry("I16", 16),
          Map.entry("U16", 16),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I32", 32),
          Map.entry("U32", 32),
          Map.entry("F32", 32),
          Map.entry("C64", 64),
          Map.entry("F64", 64),
          Map.entry("I64", 64),
          Map.entry("U64", 64));

  private HeaderOracle() {}

  record Tensor(String name, String dtype, List<BigInteger> shape, BigInteger begin, BigInteger end)
      implements Comparable<Tensor> {
    @Override
    public int compareTo(Tensor other) {
      return Comparator.comparing(Tensor::begin)
          .thenComparing(Tensor::end)
          .thenComparing(Tensor::name)
          .compare(this, other);
    }
  }

  /**
   * @param start of the file, its header at least
   * @return tensors by offset
   */
  static Optional<List<Tensor>> read(byte[] start, long fileLength) {
    if (start.length < 8 || fileLength < 8) {
      return Optional.empty();
    }
    long n = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (n < 1 || n > 100_000_000 || n > start.length - 8 || n + 8 > fileLength || start[8] != '{') {
      return Optional.empty();
    }
    byte[] json = Arrays.copyOfRange(start, 8, 8 + (int) n);
    return StrictJsonReading.read(json, false)
        .flatMap(HeaderOracle::tensors)
        .filter(tensors -> fills(tensors, fileLength - 8 - n));
  }

  private static Optional<List<Tensor>> tensors(Json header) {
    List<Tensor> tensors = new ArrayList<>();
    for (Json.Entry entry : ((Mapping) header).entries()) {
      String name = StrictJsonReading.string(entry.key());
      if (name.equals("__metadata__")) {
        if (!isMetadata(entry.value())) {
          return Optional.empty();
        }
        continue;
      }
      Optional<Tensor> tensor = tensor(name, entry.value());
      if (tensor.isEmpty()) {
        return Optional.empty();
      }
      tensors.add(tensor.get());
    }
    return Optional.of(tensors.stream().sorted().toList());
  }

  private static boolean isMetadata(Json value) {
    return value.equals(new Scalar("null"))
        || (value instanceof Mapping strings
            && strings.entries().stream()
                .allMatch(
                    one ->
                        isString(one.value())
                            && isUnicode(StrictJsonReading.string(one.key()))
                            && isUnicode(StrictJsonReading.string(((Scalar) one.value()).text()))));
  }

  /** Whether it can be written as UTF-8: JSON's escapes allow half a surrogate pair. */
  private static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static boolean isString(Json value) {
    return value instanceof Scalar scalar && scalar.text().startsWith("\"");
  }

  private static Optional<Tensor> tensor(String name, Json value) {
    if (!isUnicode(name)
        || !(value instanceof Mapping fields)
        || !isString(fields.get("dtype"))
        || !isWhole(fields.get("shape"))
        || !isWhole(fields.get("data_offsets"))) {
      return Optional.empty();
    }
    String dtype = StrictJsonReading.string(((Scalar) fields.get("dtype")).text());
    List<BigInteger> offsets = whole(fields.get("data_offsets"));
    return BITS.containsKey(dtype) && offsets.size() == 2
        ? Optional.of(
            new Tensor(name, dtype, whole(fields.get("shape")), offsets.get(0), offsets.get(1)))
        : Optional.empty();
  }

  /** Whether it is a list of whole numbers that an unsigned word holds, half of them at least. */
  private static boolean isWhole(Json value) {
    return value instanceof Array array
        && array.elements().stream()
            .allMatch(
                one ->
                    one instanceof Scalar scalar
                        && scalar.text().matches("[0-9]+")
                        && new BigInteger(scalar.text()).compareTo(LARGEST) <= 0);
  }

  private static List<BigInteger> whole(Json value) {
    return ((Array) value)
        .elements().stream().map(one -> new BigInteger(((Scalar) one).text())).toList();
  }

  /** No hole, no overlap, sizes by shape and dtype, the last byte the file's last. */
  private static boolean fills(List<Tensor> tensors, long dataBytes) {
    BigInteger at = BigInteger.ZERO;
    for (Tensor tensor : tensors) {
      BigInteger elements = BigInteger.ONE;
      for (BigInteger side : tensor.shape()) {
        elements = elements.multiply(side);
        // The format's own reader gives up here, whatever sides follow.
        if (elements.compareTo(LARGEST) > 0) {
          return false;
        }
      }
      BigInteger bits = elements.multiply(BigInteger.valueOf(BITS.get(tensor.dtype())));
      BigInteger bytes = tensor.end().subtract(tensor.begin());
      if (!tensor.begin().equals(at) || !bits.equals(bytes.shiftLeft(3))) {
        return false;
      }
      at = tensor.end();
    }
    return at.equals(BigInteger.valueOf(dataBytes));
  }
}
