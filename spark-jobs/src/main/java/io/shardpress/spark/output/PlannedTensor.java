package io.shardpress.spark.output;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import java.io.Serializable;
import java.util.List;

/**
 * A tensor of a published file, as its format has it.
 *
 * @param type as the format names it
 * @param shape in C order
 * @param bytes of the tensor itself, padding apart
 */
public record PlannedTensor(String name, String type, List<Long> shape, long bytes)
    implements Serializable {
  public PlannedTensor {
    shape = List.copyOf(shape);
  }

  /** A tensor of a safetensors file. */
  public static PlannedTensor of(TensorSpec spec) {
    return new PlannedTensor(spec.name(), spec.dtype().name(), spec.shape(), spec.bytes());
  }

  /** As safetensors has it. */
  TensorSpec spec() {
    return new TensorSpec(name, Dtype.of(type), shape);
  }
}
