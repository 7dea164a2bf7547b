package io.shardpress.kernels.matmul;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The implementations by name. A process uses the one that {@code
 * -Dshardpress.matmul=scalar|vector|openblas} names; where that is not set, OpenBLAS if it loads
 * and the Vector API if not. There is one instance of each, which keeps its work memory.
 *
 * <p>A driver passes {@code chosen().name()} on, and executors take {@code named(name)}: it fails
 * where they cannot compute the same bits.
 */
public final class Matmuls {
  private static final String PROPERTY = "shardpress.matmul";
  private static final Map<String, Matmul> INSTANCES = new ConcurrentHashMap<>();

  private Matmuls() {}

  /**
   * The implementation of this process.
   *
   * @throws UnsupportedOperationException where the one asked for does not run here
   */
  public static Matmul chosen() {
    String kind = System.getProperty(PROPERTY);
    if (kind == null) {
      return ofKind(OpenBlasLibrary.isLoaded() ? "openblas" : "vector");
    }
    return ofKind(kind);
  }

  /**
   * What this process computes with, in a line for people: the backend of products, the width of
   * vectors in loops, and what in the environment bears on their speed.
   *
   * @throws UnsupportedOperationException where what a property asks for does not run here
   */
  public static String describe() {
    int bits = VectorWidth.chosen();
    String text =
        String.format(
            Locale.ROOT,
            "products by %s%s, loops %s",
            chosen().name(),
            System.getProperty(PROPERTY) == null ? "" : ", as -D" + PROPERTY + " asks",
            bits == 0 ? "without vectors" : "on vectors of " + bits + " bits");
    String core = System.getenv("OPENBLAS_CORETYPE");
    if (core != null && !core.isEmpty()) {
      text +=
          ("; OPENBLAS_CORETYPE=%s in the environment fixes OpenBLAS's kernels: unset it for those of"
                  + " this processor")
              .formatted(core);
    }
    return text;
  }

  /**
   * What would be faster and is not there, in a line that says why and what to do; empty where this
   * process computes with the best that it knows, or with what its properties ask for.
   */
  public static Optional<String> fallback() {
    List<String> missing = new ArrayList<>();
    if (System.getProperty(PROPERTY) == null && !OpenBlasLibrary.isLoaded()) {
      missing.add(OpenBlasLibrary.failure() + ": products are computed by " + chosen().name());
    }
    if (VectorWidth.isMissing()) {
      missing.add(
          "this JVM has no Vector API, which it has with --add-modules jdk.incubator.vector: loops"
              + " take one number at a time");
    }
    return missing.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", missing));
  }

  /**
   * The implementation of that kind, or with exactly that full name, as {@link Matmul#name} gave it
   * elsewhere.
   *
   * @throws UnsupportedOperationException where this machine cannot give it, with the reason
   */
  public static Matmul named(String name) {
    Matmul found = ofKind(name);
    if (name.contains("-") && !name.equals(found.name())) {
      throw new UnsupportedOperationException(
          ("matmul %s is wanted, but this machine gives %s; use machines of one kind, or one backend"
                  + " that all have with -Dshardpress.matmul=vector and -Dshardpress.vector.bits")
              .formatted(name, found.name()));
    }
    return found;
  }

  private static Matmul ofKind(String name) {
    String kind = name.contains("-") ? name.substring(0, name.indexOf('-')) : name;
    return switch (kind) {
      case "scalar" -> INSTANCES.computeIfAbsent(kind, ignored -> new ScalarMatmul());
      case "openblas" -> INSTANCES.computeIfAbsent(kind, ignored -> new OpenBlasMatmul());
      case "vector" -> vector(kind.equals(name) ? VectorWidth.chosen() : bits(name));
      default ->
          throw new IllegalArgumentException(
              "shardpress.matmul is %s, must be scalar, vector or openblas".formatted(name));
    };
  }

  private static Matmul vector(int bits) {
    return bits == 0
        ? ofKind("scalar")
        : INSTANCES.computeIfAbsent("vector-" + bits, ignored -> new VectorMatmul(bits));
  }

  private static int bits(String name) {
    return VectorWidth.parse("matmul " + name, name.substring("vector-".length()));
  }
}
