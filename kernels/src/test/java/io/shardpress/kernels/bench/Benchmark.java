package io.shardpress.kernels.bench;

/** Something to measure. */
interface Benchmark {
  /** Measures, and puts the figures on the line. */
  void run(Setting setting, JsonLine line);
}
