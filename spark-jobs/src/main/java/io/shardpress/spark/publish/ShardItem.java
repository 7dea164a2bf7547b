package io.shardpress.spark.publish;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import java.io.Serializable;
import java.util.List;

/** A tensor of a final shard and where its bytes come from. */
record ShardItem(String name, Dtype dtype, List<Long> shape, TensorSource source)
    implements Serializable {
  ShardItem(TensorSpec spec, TensorSource source) {
    this(spec.name(), spec.dtype(), spec.shape(), source);
  }

  TensorSpec spec() {
    return new TensorSpec(name, dtype, shape);
  }
}
