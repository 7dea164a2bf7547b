package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;

/** Arrays of parameters that Adam changes in place, with their gradients and moments. */
final class AdamParameters {
  private final float[][] values;
  private final float[][] gradients;
  private final Adam[] moments;
  private final Remembered remembered;

  /** Takes the arrays as they are; moments start at zero. */
  AdamParameters(float[]... values) {
    this.values = values;
    remembered = new Remembered(values);
    gradients = new float[values.length][];
    moments = new Adam[values.length];
    for (int p = 0; p < values.length; p++) {
      gradients[p] = new float[values[p].length];
      moments[p] = new Adam(values[p].length);
    }
  }

  float[][] values() {
    return values;
  }

  /** In the order and sizes of {@link #values}. */
  float[][] gradients() {
    return gradients;
  }

  /**
   * One step along {@link #gradients}.
   *
   * @param step counted from 1
   */
  void step(int step, double learningRate, Workers workers) {
    for (int p = 0; p < values.length; p++) {
      moments[p].update(values[p], gradients[p], step, learningRate, workers);
    }
  }

  void remember() {
    remembered.remember();
  }

  void recall() {
    remembered.recall();
  }
}
