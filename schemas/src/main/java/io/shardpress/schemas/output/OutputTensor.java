package io.shardpress.schemas.output;

import java.io.Serializable;
import java.util.List;

/**
 * A tensor to be written.
 *
 * @param dtype as safetensors names it: I32, I64, F16, BF16, F32
 * @param shape in C order
 */
public record OutputTensor(String name, String dtype, List<Long> shape) implements Serializable {
  public OutputTensor {
    shape = List.copyOf(shape);
  }
}
