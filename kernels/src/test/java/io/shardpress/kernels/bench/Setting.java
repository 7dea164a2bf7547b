package io.shardpress.kernels.bench;

import io.shardpress.kernels.matmul.Matmuls;
import jdk.incubator.vector.FloatVector;

/**
 * How to measure.
 *
 * @param threads threads of the run that counts
 * @param size the problem's size, 0 for the benchmark's own
 * @param seconds how long to measure each thing
 */
record Setting(int threads, int size, double seconds) {
  static Setting of(String[] arguments) {
    int threads = Runtime.getRuntime().availableProcessors();
    int size = 0;
    double seconds = 5;
    for (int i = 1; i < arguments.length; i += 2) {
      if (i + 1 == arguments.length) {
        throw new IllegalArgumentException(arguments[i] + " lacks its value");
      }
      String value = arguments[i + 1];
      switch (arguments[i]) {
        case "--threads" -> threads = Integer.parseInt(value);
        case "--size" -> size = Integer.parseInt(value);
        case "--seconds" -> seconds = Double.parseDouble(value);
        default -> throw new IllegalArgumentException("unknown option " + arguments[i]);
      }
    }
    return new Setting(threads, size, seconds);
  }

  int sizeOr(int standard) {
    return size == 0 ? standard : size;
  }

  void describe(JsonLine line) {
    line.put("threads", threads)
        .put("jdk", System.getProperty("java.version"))
        .put("vector_bits", FloatVector.SPECIES_PREFERRED.vectorBitSize())
        .put("backend", Matmuls.describe());
  }
}
