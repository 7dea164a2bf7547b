package io.shardpress.kernels.matmul;

import java.util.ArrayList;
import java.util.List;

/** Every implementation of this machine, for differential tests. */
public final class Implementations {
  private Implementations() {}

  /** The oracle and the fast ones. */
  public static List<Matmul> all() {
    List<Matmul> all = new ArrayList<>(fast());
    all.add(new ScalarMatmul());
    return all;
  }

  /** All but the oracle. */
  static List<Matmul> fast() {
    List<Matmul> all = new ArrayList<>();
    for (int bits = 128; bits <= VectorWidth.preferred(); bits *= 2) {
      all.add(new VectorMatmul(bits));
    }
    if (OpenBlasLibrary.isLoaded()) {
      all.add(new OpenBlasMatmul());
    }
    return all;
  }
}
