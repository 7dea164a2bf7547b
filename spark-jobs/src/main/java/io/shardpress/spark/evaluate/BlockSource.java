package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a block's weights lie, dense or packed.
 *
 * @param linears experts' among them
 * @param others all else that is not a linear
 * @param activations null where none are rounded
 */
record BlockSource(
    BlockShape shape,
    Map<LinearRole, WeightSource> linears,
    Map<LinearRole, TensorRef> biases,
    Map<BlockPart, TensorRef> others,
    StoredActivations activations)
    implements Serializable {
  /** The same with keys and values rounded per token before the rotation, as LRQ was measured. */
  BlockSource withPublishedCache() {
    return activations == null
        ? this
        : new BlockSource(shape, linears, biases, others, activations.withPublishedCache());
  }

  /** Reads the weights, experts when they are asked for; nothing keeps them but the caller. */
  BlockWeights load(TensorReader reader) {
    Map<LinearRole, float[]> weights = new TreeMap<>();
    linears.forEach(
        (role, source) -> {
          if (role.expert() == LinearRole.NONE) {
            weights.put(role, source.read(reader));
          }
        });
    Map<LinearRole, float[]> offsets = new TreeMap<>();
    biases.forEach((role, tensor) -> offsets.put(role, vector(tensor, reader)));
    Map<BlockPart, float[]> rest = new LinkedHashMap<>();
    others.forEach((part, tensor) -> rest.put(part, vector(tensor, reader)));
    return BlockPart.weights(shape, weights, offsets, rest, number -> expert(number, reader));
  }

  private MixtureWeights.Expert expert(int number, TensorReader reader) {
    List<float[]> read =
        LinearRole.ofExpert(number).stream().map(role -> linears.get(role).read(reader)).toList();
    return new MixtureWeights.Expert(read.get(0), read.get(1), read.get(2));
  }

  /** A tensor of finite numbers. */
  static float[] vector(TensorRef tensor, TensorReader reader) {
    float[] values = reader.readFloats(tensor);
    TensorReader.requireFinite(tensor, 0, values);
    return values;
  }
}
