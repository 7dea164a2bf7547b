package io.shardpress.spark.output;

import io.shardpress.schemas.gguf.GgufTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import java.io.Serializable;
import java.util.List;

/**
 * A tensor of a final shard and where its bytes come from.
 *
 * @param type as the shard's format names it
 * @param shape in C order
 * @param bytes of the tensor itself
 */
public record ShardItem(String name, String type, List<Long> shape, long bytes, TensorSource source)
    implements Serializable {
  /** A tensor of a safetensors file. */
  public ShardItem(TensorSpec spec, TensorSource source) {
    this(spec.name(), spec.dtype().name(), spec.shape(), spec.bytes(), source);
  }

  /** A tensor of a GGUF file. */
  public ShardItem(GgufTensor tensor, TensorSource source) {
    this(tensor.name(), tensor.type().name(), tensor.shape(), tensor.bytes(), source);
  }

  /** As safetensors has it. */
  TensorSpec spec() {
    return new TensorSpec(name, Dtype.of(type), shape);
  }
}
