package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;

/** The definition, written out: the oracle that the other implementations are held against. */
public final class ScalarMatmul extends TiledMatmul {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  void compute(Product product, Workers workers) {
    workers.forEach(
        product.m(),
        i -> {
          for (int j = 0; j < product.n(); j++) {
            if (i >= product.firstRow(j) && i < product.endRow(j + 1)) {
              entry(product, i, j);
            }
          }
        });
  }

  private static void entry(Product product, int i, int j) {
    Matrix a = product.a();
    Matrix b = product.b();
    double sum = 0;
    for (int l = 0; l < product.k(); l++) {
      int inA = product.leftTransposed() ? a.at(l, i) : a.at(i, l);
      int inB = product.rightTransposed() ? b.at(j, l) : b.at(l, j);
      sum += (double) a.data()[inA] * b.data()[inB];
    }
    float[] c = product.c().data();
    int at = product.c().at(i, j);
    double before = product.beta() == 0 ? 0 : (double) product.beta() * c[at];
    c[at] = (float) (product.alpha() * sum + before);
  }
}
