package io.shardpress.spark.unit;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.learn.ChannelScales;
import io.shardpress.kernels.learn.SmoothQuant;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.store.StoredShard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A block whose linears' inputs are scaled: 1/s goes into what makes the input, s into the linears'
 * columns, and the block computes what it did.
 */
final class FoldedBlock {
  /** The note of a part that holds the checksum of the shard beside it. */
  static final String CHECKSUM = "shard.crc32c";

  private final BlockSpec spec;
  private final BlockWeights weights;
  private final Map<TensorRef, float[]> changed = new LinkedHashMap<>();

  /** Takes the block's arrays as they are and changes them in place. */
  FoldedBlock(BlockSpec spec, BlockWeights weights) {
    this.spec = spec;
    this.weights = weights;
  }

  /** The scales nearest to these that a norm's stored weight can be divided by without rounding. */
  ChannelScales storable(Stage stage, ChannelScales wanted) {
    TensorRef norm = norm(stage);
    if (norm == null) {
      return wanted;
    }
    ScaleFormat format =
        switch (norm.dtype()) {
          case BF16 -> ScaleFormat.BF16;
          case F16 -> ScaleFormat.F16;
          default -> ScaleFormat.F32;
        };
    return wanted.storable(normWeight(stage), format);
  }

  /** Folds a stage's scales, which {@link #storable} has passed, into both sides. */
  void fold(Stage stage, ChannelScales scales) {
    BlockShape shape = spec.shape();
    switch (stage) {
      case QKV, GATE_UP -> {
        scales.unscale(normWeight(stage));
        changed.put(norm(stage), normWeight(stage));
      }
      case O -> unscaleOutputs(LinearRole.V, scales);
      case DOWN -> unscaleOutputs(LinearRole.UP, scales);
    }
    for (LinearRole role : stage.linears()) {
      scales.scaleColumns(linear(role), shape.out(role));
    }
  }

  /** A linear's weights, to be changed in place. */
  float[] linear(LinearRole role) {
    changed.put(spec.linears().get(role), weights.linear(role));
    return weights.linear(role);
  }

  private void unscaleOutputs(LinearRole role, ChannelScales scales) {
    scales.unscaleRows(linear(role), spec.shape().in(role));
    if (spec.biases().containsKey(role)) {
      scales.unscale(weights.biases().get(role));
      changed.put(spec.biases().get(role), weights.biases().get(role));
    }
  }

  private TensorRef norm(Stage stage) {
    return switch (stage) {
      case QKV -> spec.inputNorm();
      case GATE_UP -> spec.postNorm();
      default -> null;
    };
  }

  private float[] normWeight(Stage stage) {
    return stage == Stage.QKV ? weights.inputNorm() : weights.postNorm();
  }

  /**
   * Writes what has changed as a shard, then the part that says that it is there.
   *
   * @param quantized linears that will be quantized: kept in f32; the others in their own dtype
   */
  void write(TaskEnvironment environment, PartKey part, Set<LinearRole> quantized) {
    Map<String, Dtype> wide = new LinkedHashMap<>();
    quantized.forEach(role -> wide.put(spec.linears().get(role).tensor(), Dtype.F32));
    List<TensorSpec> specs = new ArrayList<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    changed.forEach(
        (ref, array) -> {
          Dtype dtype = wide.getOrDefault(ref.tensor(), ref.dtype());
          specs.add(new TensorSpec(ref.tensor(), dtype, ref.shape()));
          values.put(ref.tensor(), array);
        });
    List<TensorSpec> ordered = SafetensorsHeader.writingOrder(specs);
    String checksum =
        StoredShard.write(
            environment.store(),
            part,
            ordered,
            name -> encode(dtype(ordered, name), values.get(name)));
    try (PartWriter writer = environment.store().write(part)) {
      writer.note(CHECKSUM, checksum);
      writer.commit();
    }
  }

  private static Dtype dtype(List<TensorSpec> specs, String name) {
    return specs.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow().dtype();
  }

  private static byte[] encode(Dtype dtype, float[] values) {
    byte[] bytes = new byte[Math.toIntExact(dtype.bytes(values.length))];
    FloatBytes.encode(dtype, values, 0, bytes, 0, values.length);
    return bytes;
  }

  /** Greatest magnitudes of a stage's linears by input channel, [in]. */
  float[] columnMaxima(Stage stage) {
    float[] maxima = new float[spec.shape().in(stage.linears().get(0))];
    for (LinearRole role : stage.linears()) {
      SmoothQuant.addColumnMaxima(weights.linear(role), spec.shape().out(role), maxima);
    }
    return maxima;
  }
}
