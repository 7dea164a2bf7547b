package io.shardpress.spark.learn.transform;

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
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.store.StoredShard;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A block whose linears' inputs are scaled: 1/s goes into what makes the input, s into the linears'
 * columns, and the block computes what it did.
 */
final class FoldedBlock {
  /** The note of a part that holds the checksum of the shard beside it. */
  static final String CHECKSUM = "shard.crc32c";

  private final BlockSpec spec;
  private final BlockWeights weights;
  private final TensorReader reader;
  private final Map<TensorRef, Supplier<float[]>> changed = new LinkedHashMap<>();
  private final Set<TensorRef> norms = new HashSet<>();

  /**
   * Takes the block's arrays as they are and changes them in place; experts are read when they are
   * written.
   */
  FoldedBlock(BlockSpec spec, BlockWeights weights, TensorReader reader) {
    this.spec = spec;
    this.weights = weights;
    this.reader = reader;
  }

  /** The scales nearest to these that a norm's stored weight can be divided by without rounding. */
  ChannelScales storable(Stage stage, ChannelScales wanted) {
    TensorRef norm = norm(stage);
    if (norm == null) {
      return wanted;
    }
    ScaleFormat format = ScaleFormat.of(norm.dtype());
    // A router keeps its dtype, and its choice.
    boolean routed = spec.shape().mixture() != null && stage == Stage.GATE_UP;
    ChannelScales scales = routed ? wanted.powersOfTwo() : wanted;
    return scales.storable(normWeight(stage), normOffset(), format);
  }

  /** Folds a stage's scales, which {@link #storable} has passed, into both sides. */
  void fold(Stage stage, ChannelScales scales) {
    BlockShape shape = spec.shape();
    switch (stage) {
      case QKV, GATE_UP -> {
        scales.unscale(normWeight(stage));
        norms.add(norm(stage));
        changed.put(norm(stage), () -> normWeight(stage));
      }
      case O -> {
        if (shape.traits().fused()) {
          unscaleOutputs(LinearRole.QKV, shape.queryWidth() + shape.keyWidth(), scales);
        } else {
          unscaleOutputs(LinearRole.V, 0, scales);
        }
      }
      case DOWN -> {
        if (shape.traits().fused()) {
          unscaleOutputs(LinearRole.GATE_UP, shape.ffn(), scales);
        } else {
          unscaleOutputs(LinearRole.UP, 0, scales);
        }
      }
    }
    for (LinearRole role : shape.linears(stage)) {
      if (role.expert() == LinearRole.NONE) {
        scales.scaleColumns(linear(role), shape.out(role));
      } else {
        changed.put(spec.linears().get(role), () -> scaled(role, scales));
      }
    }
    if (shape.mixture() != null && stage == Stage.GATE_UP) {
      scaleRouter(BlockPart.ROUTER, weights.mixture().router(), scales);
      scaleRouter(BlockPart.SHARED_GATE, weights.mixture().sharedGate(), scales);
    }
  }

  private float[] scaled(LinearRole role, ChannelScales scales) {
    float[] w = reader.readFloats(spec.linears().get(role));
    scales.scaleColumns(w, spec.shape().out(role));
    return w;
  }

  private void scaleRouter(BlockPart part, float[] w, ChannelScales scales) {
    if (w != null) {
      scales.scaleColumns(w, w.length / scales.in());
      changed.put(spec.others().get(part), () -> w);
    }
  }

  /** What a norm multiplies by, and the file does not hold. */
  private float normOffset() {
    return spec.shape().traits().normsFromOne() ? 1 : 0;
  }

  private float[] stored(float[] norm) {
    float[] stored = norm.clone();
    for (int i = 0; i < stored.length; i++) {
      stored[i] -= normOffset();
    }
    return stored;
  }

  /** A linear's weights, to be changed in place. */
  float[] linear(LinearRole role) {
    changed.put(spec.linears().get(role), () -> weights.linear(role));
    return weights.linear(role);
  }

  /** Of a linear the rows from {@code first} on that make what is scaled. */
  private void unscaleOutputs(LinearRole role, int first, ChannelScales scales) {
    scales.unscaleRows(linear(role), first, spec.shape().in(role));
    if (spec.biases().containsKey(role)) {
      scales.unscaleRows(weights.biases().get(role), first, 1);
      changed.put(spec.biases().get(role), () -> weights.biases().get(role));
    }
  }

  private TensorRef norm(Stage stage) {
    return switch (stage) {
      case QKV -> spec.others().get(BlockPart.INPUT_NORM);
      case GATE_UP -> spec.others().get(BlockPart.POST_NORM);
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
    for (LinearRole role : quantized) {
      // Powers of two change experts without rounding.
      if (role.expert() == LinearRole.NONE) {
        wide.put(spec.linears().get(role).tensor(), Dtype.F32);
      }
    }
    List<TensorSpec> specs = new ArrayList<>();
    Map<String, Supplier<float[]>> values = new LinkedHashMap<>();
    changed.forEach(
        (ref, array) -> {
          Dtype dtype = wide.getOrDefault(ref.tensor(), ref.dtype());
          specs.add(new TensorSpec(ref.tensor(), dtype, ref.shape()));
          values.put(ref.tensor(), norms.contains(ref) ? () -> stored(array.get()) : array);
        });
    List<TensorSpec> ordered = SafetensorsHeader.writingOrder(specs);
    String checksum =
        StoredShard.write(
            environment.store(),
            part,
            ordered,
            name -> FloatBytes.encode(dtype(ordered, name), values.get(name).get()));
    try (PartWriter writer = environment.store().write(part)) {
      writer.note(CHECKSUM, checksum);
      writer.commit();
    }
  }

  private static Dtype dtype(List<TensorSpec> specs, String name) {
    return specs.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow().dtype();
  }

  /** Greatest magnitudes of a stage's linears by input channel, [in]. */
  float[] columnMaxima(Stage stage) {
    float[] maxima = new float[spec.shape().in(stage)];
    for (LinearRole role : spec.shape().linears(stage)) {
      boolean here = role.expert() == LinearRole.NONE;
      float[] w = here ? weights.linear(role) : reader.readFloats(spec.linears().get(role));
      SmoothQuant.addColumnMaxima(w, spec.shape().out(role), maxima);
    }
    return maxima;
  }
}
