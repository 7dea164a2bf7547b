package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where a block's weights lie.
 *
 * @param block its number
 * @param name such as model.layers.3
 * @param modules names of its linears as recipes match them
 * @param queryNorm null where the family has none, as keyNorm
 */
public record BlockSpec(
    int block,
    String name,
    BlockShape shape,
    Map<LinearRole, String> modules,
    Map<LinearRole, TensorRef> linears,
    Map<LinearRole, TensorRef> biases,
    TensorRef inputNorm,
    TensorRef postNorm,
    TensorRef queryNorm,
    TensorRef keyNorm)
    implements Serializable {
  /** The block of a checkpoint whose tensors agree with its config. */
  public static BlockSpec of(Checkpoint checkpoint, ModelConfig config, int block) {
    DecoderNames names = DecoderNames.of(checkpoint.shapes().keySet());
    Map<LinearRole, String> modules = new EnumMap<>(LinearRole.class);
    Map<LinearRole, TensorRef> linears = new EnumMap<>(LinearRole.class);
    Map<LinearRole, TensorRef> biases = new EnumMap<>(LinearRole.class);
    for (LinearRole role : LinearRole.values()) {
      modules.put(role, names.module(block, role));
      linears.put(role, checkpoint.find(names.linear(block, role)).orElseThrow());
      checkpoint.find(names.bias(block, role)).ifPresent(bias -> biases.put(role, bias));
    }
    return new BlockSpec(
        block,
        names.block(block),
        BlockShape.of(config),
        modules,
        linears,
        biases,
        checkpoint.find(names.inputNorm(block)).orElseThrow(),
        checkpoint.find(names.postNorm(block)).orElseThrow(),
        config.qkNorm() ? checkpoint.find(names.qNorm(block)).orElseThrow() : null,
        config.qkNorm() ? checkpoint.find(names.kNorm(block)).orElseThrow() : null);
  }

  /**
   * Whether there is an operation that can take 1/s where a stage's inputs are scaled: a norm, up
   * for down, and v for o where every query head has a value head of its own.
   */
  public boolean takesScales(Stage stage) {
    return stage != Stage.O || shape.heads() == shape.kvHeads();
  }

  /** All its tensors: linears, biases, norms. */
  public List<TensorRef> tensors() {
    List<TensorRef> all = new ArrayList<>(linears.values());
    all.addAll(biases.values());
    all.add(inputNorm);
    all.add(postNorm);
    if (queryNorm != null) {
      all.add(queryNorm);
      all.add(keyNorm);
    }
    return all;
  }

  /** Reads the weights, in the order of {@link #tensors}. */
  public BlockWeights load(TensorReader reader) {
    return load(reader, linears.keySet());
  }

  /** Reads the weights, of linears only those of some roles. */
  BlockWeights load(TensorReader reader, Set<LinearRole> roles) {
    List<TensorRef> wanted = new ArrayList<>();
    roles.forEach(role -> wanted.add(linears.get(role)));
    wanted.addAll(tensors().subList(linears.size(), tensors().size()));
    Iterator<float[]> read = reader.readFloats(wanted).iterator();
    Map<LinearRole, float[]> weights = new EnumMap<>(LinearRole.class);
    roles.forEach(role -> weights.put(role, read.next()));
    Map<LinearRole, float[]> offsets = new EnumMap<>(LinearRole.class);
    biases.keySet().forEach(role -> offsets.put(role, read.next()));
    return new BlockWeights(
        weights,
        offsets,
        read.next(),
        read.next(),
        queryNorm == null ? null : read.next(),
        keyNorm == null ? null : read.next());
  }
}
