package io.shardpress.kernels.matmul;

import java.util.ArrayList;
import java.util.List;

/** Every implementation of this machine, for differential tests. */
public final class Implementations {
  private Implementations() {}

  public static List<Matmul> all() {
    List<Matmul> all = new ArrayList<>();
    all.add(new ScalarMatmul());
    for (int bits = 128; bits <= VectorWidth.preferred(); bits *= 2) {
      all.add(new VectorMatmul(bits));
    }
    if (OpenBlasLibrary.isLoaded()) {
      all.add(new OpenBlasMatmul());
    }
    return all;
  }
}
