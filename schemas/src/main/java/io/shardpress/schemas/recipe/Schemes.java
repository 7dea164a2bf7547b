package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** The schemes by the names that compressed-tensors and llm-compressor gave them. */
public final class Schemes {
  /** Inputs that share a scale where nothing else is said. */
  public static final int DEFAULT_GROUP_SIZE = 128;

  private static final Map<String, Scheme> SUPPORTED = supportedSchemes();

  /** Names that are real but have no writer here yet. */
  private static final List<String> NOT_YET =
      List.of(
          "NVFP4",
          "MXFP4",
          "MXFP8",
          "MXFP8A16",
          "W4AFP8",
          "W2A4",
          "W2A8",
          "W3A4",
          "W3A8",
          "W4A4",
          "W5A8",
          "W5A16",
          "W6A8",
          "W6A16",
          "W7A8",
          "W7A16");

  /** Other names of llm-compressor's for the same. */
  private static final Map<String, String> ALSO = Map.of("INT8", "W8A8");

  private Schemes() {}

  private static Map<String, Scheme> supportedSchemes() {
    Map<String, Scheme> schemes = new TreeMap<>();
    for (int bits : new int[] {2, 3, 4, 8}) {
      for (boolean symmetric : new boolean[] {true, false}) {
        WeightScheme scheme = new WeightScheme(bits, symmetric, DEFAULT_GROUP_SIZE);
        schemes.put(scheme.name(), new Scheme(scheme));
      }
    }
    WeightScheme w8 = new WeightScheme(8, true, 0);
    WeightScheme w4 = new WeightScheme(4, true, DEFAULT_GROUP_SIZE);
    ActivationScheme perToken = new ActivationScheme(8, true, true);
    schemes.put("W8A8", new Scheme(w8, perToken, null));
    // The least squared error: half the divergence of the whole range on the sample model.
    schemes.put("W8A8_STATIC", new Scheme(w8, new ActivationScheme(8, true, false, true), null));
    schemes.put("W4A8", new Scheme(w4, perToken, null));
    // FP8 is the one cache that vLLM reads scales for.
    schemes.put("W4A8KV8", new Scheme(w4, perToken, new KvCacheScheme(true)));
    schemes.put("FP8", fp8(WeightForm.FP8_TENSOR, ActivationScheme.fp8(false, 0)));
    schemes.put("FP8_DYNAMIC", fp8(WeightForm.FP8_CHANNEL, ActivationScheme.fp8(true, 0)));
    schemes.put(
        "FP8_BLOCK", fp8(WeightForm.FP8_BLOCK, ActivationScheme.fp8(true, WeightForm.BLOCK)));
    for (WeightForm form : new WeightForm[] {WeightForm.MXFP4, WeightForm.NVFP4}) {
      WeightScheme scheme = WeightScheme.of(form);
      schemes.put(scheme.name(), new Scheme(scheme));
    }
    return schemes;
  }

  private static Scheme fp8(WeightForm form, ActivationScheme inputs) {
    return new Scheme(WeightScheme.of(form), inputs, null);
  }

  /** Names that {@link #named} takes, sorted. */
  public static List<String> supported() {
    return List.copyOf(SUPPORTED.keySet());
  }

  /** Whether a name stands for a group's weights, group size and outliers apart, and inputs. */
  static boolean isNamed(SchemeGroup group) {
    Scheme named = SUPPORTED.get(group.schemeName());
    WeightScheme weights = group.weights().withOutliers(false);
    return named != null
        && named
            .withGroupSize(weights.groupSize())
            .equals(new Scheme(weights, group.activations(), null));
  }

  /**
   * The weights of the scheme of that name with its default group size.
   *
   * @throws UsageException for a name that is unknown or not supported yet
   */
  public static WeightScheme named(String name) {
    return named(name, OptionalInt.empty()).weights();
  }

  /**
   * The scheme of that name.
   *
   * @param groupSize in place of the default; 0 is per channel
   * @throws UsageException for a name that is unknown or not supported yet
   */
  static Scheme named(String name, OptionalInt groupSize) {
    // llm-compressor's names are the same in small letters.
    String upper = name.toUpperCase(Locale.ROOT);
    Scheme scheme = SUPPORTED.get(ALSO.getOrDefault(upper, upper));
    if (scheme == null) {
      throw unknown(NOT_YET.contains(upper) ? upper : name);
    }
    if (groupSize.isPresent() && scheme.weights().floating()) {
      throw new UsageException(
          "scheme "
              + name
              + " has scales of its own kind, "
              + scheme.weights().sharing()
              + "; leave the group size out");
    }
    return groupSize.isEmpty() ? scheme : scheme.withGroupSize(groupSize.getAsInt());
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
