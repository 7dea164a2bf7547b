package io.shardpress.spark.evaluate;

import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;

/** A weight as floating-point numbers. */
record DenseWeight(TensorRef tensor) implements WeightSource {
  @Override
  public int out() {
    return Math.toIntExact(tensor.rows());
  }

  @Override
  public int in() {
    return Math.toIntExact(tensor.columns());
  }

  @Override
  public float[] rows(TensorReader reader, int rowStart, int rowCount) {
    float[] values = reader.readFloats(tensor, rowStart, rowCount);
    TensorReader.requireFinite(tensor, rowStart, values);
    return values;
  }
}
