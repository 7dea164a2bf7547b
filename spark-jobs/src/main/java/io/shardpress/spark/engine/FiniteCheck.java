package io.shardpress.spark.engine;

import io.shardpress.spark.io.FiniteBytes;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;

/** Reads tensors for nothing but a check that they are finite. */
public record FiniteCheck(List<TensorRef> tensors) implements ClusterTask<Boolean> {
  private static final long BYTES = 256 << 20;

  public FiniteCheck {
    tensors = List.copyOf(tensors);
  }

  /** Checks of so many tensors each that a task has some hundred MB to read. */
  public static List<FiniteCheck> of(List<TensorRef> tensors) {
    List<FiniteCheck> checks = new ArrayList<>();
    List<TensorRef> some = new ArrayList<>();
    long bytes = 0;
    for (TensorRef tensor : tensors) {
      if (!some.isEmpty() && bytes + tensor.length() > BYTES) {
        checks.add(new FiniteCheck(some));
        some = new ArrayList<>();
        bytes = 0;
      }
      some.add(tensor);
      bytes += tensor.length();
    }
    if (!some.isEmpty()) {
      checks.add(new FiniteCheck(some));
    }
    return checks;
  }

  @Override
  public Boolean run(TaskEnvironment environment) {
    tensors.forEach(tensor -> FiniteBytes.require(tensor, environment.reader()));
    return true;
  }
}
