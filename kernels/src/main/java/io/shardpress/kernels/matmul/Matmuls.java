package io.shardpress.kernels.matmul;

/**
 * Chooses the implementation once, by {@code -Dshardpress.matmul=scalar|vector|openblas}; OpenBLAS
 * where that is not set and it loads, the Vector API otherwise.
 */
public final class Matmuls {
  private static final Choice CHOICE = Choice.of(System.getProperty("shardpress.matmul"));

  private Matmuls() {}

  /** The implementation of this process. */
  public static Matmul chosen() {
    return CHOICE.matmul();
  }

  /** What was chosen, why, and what of the environment bears on its speed; for logs and reports. */
  public static String describe() {
    String core = System.getenv("OPENBLAS_CORETYPE");
    return core == null || core.isEmpty()
        ? CHOICE.reason()
        : CHOICE.reason()
            + "; OPENBLAS_CORETYPE="
            + core
            + " in the environment fixes OpenBLAS's kernels: unset it for those of this processor";
  }

  /**
   * The implementation of that kind, or with exactly that full name, as {@link Matmul#name} gave it
   * elsewhere.
   *
   * @throws UnsupportedOperationException where this machine cannot give it, with the reason
   */
  public static Matmul named(String name) {
    if (CHOICE.matmul().name().equals(name)) {
      return CHOICE.matmul();
    }
    String kind = name.contains("-") ? name.substring(0, name.indexOf('-')) : name;
    Matmul found = Choice.of(kind).matmul();
    if (!name.equals(kind) && !name.equals(found.name())) {
      throw new UnsupportedOperationException(
          "matmul "
              + name
              + " is wanted, but this machine gives "
              + found.name()
              + "; use machines of one kind, or fix the slower one everywhere with"
              + " -Dshardpress.matmul and -Dshardpress.vector.bits");
    }
    return found;
  }
}
