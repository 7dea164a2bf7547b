package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.Map;

/**
 * Where a block's weights lie, dense or packed.
 *
 * @param queryNorm null where the family has none, as keyNorm
 * @param activations null where none are rounded
 */
record BlockSource(
    Map<LinearRole, WeightSource> linears,
    Map<LinearRole, TensorRef> biases,
    TensorRef inputNorm,
    TensorRef postNorm,
    TensorRef queryNorm,
    TensorRef keyNorm,
    StoredActivations activations)
    implements Serializable {
  /** The same with keys and values rounded per token before the rotation, as LRQ was measured. */
  BlockSource withPublishedCache() {
    return activations == null
        ? this
        : new BlockSource(
            linears,
            biases,
            inputNorm,
            postNorm,
            queryNorm,
            keyNorm,
            activations.withPublishedCache());
  }

  /** Reads the weights; nothing keeps them but the caller. */
  BlockWeights load(TensorReader reader) {
    Map<LinearRole, float[]> weights = new EnumMap<>(LinearRole.class);
    linears.forEach((role, source) -> weights.put(role, source.read(reader)));
    Map<LinearRole, float[]> offsets = new EnumMap<>(LinearRole.class);
    biases.forEach((role, tensor) -> offsets.put(role, vector(tensor, reader)));
    return new BlockWeights(
        weights,
        offsets,
        vector(inputNorm, reader),
        vector(postNorm, reader),
        queryNorm == null ? null : vector(queryNorm, reader),
        keyNorm == null ? null : vector(keyNorm, reader));
  }

  /** A vector of finite numbers. */
  static float[] vector(TensorRef tensor, TensorReader reader) {
    float[] values = reader.readFloats(tensor);
    TensorReader.requireFinite(tensor, 0, values);
    return values;
  }
}
