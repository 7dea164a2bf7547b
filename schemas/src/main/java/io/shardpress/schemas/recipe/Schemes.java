package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** The schemes by the names that compressed-tensors and llm-compressor gave them. */
public final class Schemes {
  /** Inputs that share a scale where nothing else is said. */
  public static final int DEFAULT_GROUP_SIZE = 128;

  private static final Map<String, WeightScheme> SUPPORTED = supportedSchemes();

  /** Names that are real but have no writer here yet. */
  private static final List<String> NOT_YET =
      List.of("W8A8", "W8A8_STATIC", "W4A8", "W4A8KV8", "FP8", "FP8_DYNAMIC", "FP8_BLOCK");

  private Schemes() {}

  private static Map<String, WeightScheme> supportedSchemes() {
    Map<String, WeightScheme> schemes = new TreeMap<>();
    for (int bits : new int[] {2, 3, 4, 8}) {
      for (boolean symmetric : new boolean[] {true, false}) {
        WeightScheme scheme = new WeightScheme(bits, symmetric, DEFAULT_GROUP_SIZE);
        schemes.put(scheme.name(), scheme);
      }
    }
    return schemes;
  }

  /** Names that {@link #named} takes, sorted. */
  public static List<String> supported() {
    return List.copyOf(SUPPORTED.keySet());
  }

  /**
   * The scheme of that name with its default group size.
   *
   * @throws UsageException for a name that is unknown or not supported yet
   */
  public static WeightScheme named(String name) {
    return named(name, OptionalInt.empty());
  }

  /**
   * The scheme of that name.
   *
   * @param groupSize in place of the default; 0 is per channel
   * @throws UsageException for a name that is unknown or not supported yet
   */
  public static WeightScheme named(String name, OptionalInt groupSize) {
    WeightScheme scheme = SUPPORTED.get(name);
    if (scheme == null) {
      throw unknown(name);
    }
    return groupSize.isEmpty()
        ? scheme
        : new WeightScheme(scheme.bits(), scheme.symmetric(), groupSize.getAsInt());
  }

  private static UsageException unknown(String name) {
    String choices = String.join(", ", supported());
    if (NOT_YET.contains(name)) {
      return new UsageException(
          "scheme " + name + " is not supported yet; supported are " + choices);
    }
    List<String> known = new ArrayList<>(supported());
    known.addAll(NOT_YET);
    return new UsageException(
        "unknown scheme '"
            + name
            + "', the nearest is "
            + Nearest.to(name, known)
            + "; supported are "
            + choices);
  }
}
