package io.shardpress.kernels.matmul;

/** An implementation and the reason that it was taken. */
record Choice(Matmul matmul, String reason) {
  /**
   * @param kind scalar, vector or openblas; null for the fastest that loads
   */
  static Choice of(String kind) {
    if (kind == null) {
      return OpenBlasLibrary.isLoaded()
          ? found(new OpenBlasMatmul(), "the default where it loads")
          : found(vector(), OpenBlasLibrary.failure());
    }
    return switch (kind) {
      case "scalar" -> found(new ScalarMatmul(), "as asked for");
      case "vector" -> found(vector(), "as asked for");
      case "openblas" -> found(new OpenBlasMatmul(), "as asked for");
      default ->
          throw new IllegalArgumentException(
              "shardpress.matmul is " + kind + ", must be scalar, vector or openblas");
    };
  }

  private static Matmul vector() {
    int bits = VectorWidth.chosen();
    return bits == 0 ? new ScalarMatmul() : new VectorMatmul(bits);
  }

  private static Choice found(Matmul matmul, String reason) {
    return new Choice(matmul, matmul.name() + " (" + reason + ")");
  }
}
