package io.shardpress.kernels.matmul;

import java.util.ArrayList;
import java.util.List;

/** Every implementation of this machine, for differential tests. */
public final class Implementations {
  private Implementations() {}

  public static List<Matmul> all() {
    List<Matmul> all = new ArrayList<>();
    all.add(new ScalarMatmul());
    if (OpenBlasLibrary.isLoaded()) {
      all.add(new OpenBlasMatmul());
    }
    return all;
  }
}
