package io.shardpress.spark.block;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntFunction;

/**
 * Where a block's weights lie.
 *
 * @param block its number
 * @param name such as model.layers.3
 * @param modules names of its linears as recipes match them
 * @param linears theirs, experts' among them
 * @param others all else that is not a linear, by what it is for
 */
public record BlockSpec(
    int block,
    String name,
    BlockShape shape,
    Map<LinearRole, String> modules,
    Map<LinearRole, TensorRef> linears,
    Map<LinearRole, TensorRef> biases,
    Map<BlockPart, TensorRef> others)
    implements Serializable {
  public BlockSpec {
    modules = Collections.unmodifiableMap(new LinkedHashMap<>(modules));
    linears = Collections.unmodifiableMap(new LinkedHashMap<>(linears));
    biases = Collections.unmodifiableMap(new LinkedHashMap<>(biases));
    others = Collections.unmodifiableMap(new LinkedHashMap<>(others));
  }

  /** The block of a checkpoint whose tensors agree with its config. */
  public static BlockSpec of(Checkpoint checkpoint, ModelConfig config, int block) {
    DecoderNames names = DecoderNames.of(checkpoint.shapes().keySet(), config);
    Map<LinearRole, String> modules = new TreeMap<>();
    Map<LinearRole, TensorRef> linears = new TreeMap<>();
    Map<LinearRole, TensorRef> biases = new TreeMap<>();
    for (LinearRole role : config.linears(block)) {
      modules.put(role, names.module(block, role));
      linears.put(role, checkpoint.find(names.linear(block, role)).orElseThrow());
      checkpoint.find(names.bias(block, role)).ifPresent(bias -> biases.put(role, bias));
    }
    Map<BlockPart, TensorRef> others = new LinkedHashMap<>();
    BlockPart.of(config, block)
        .forEach(part -> others.put(part, checkpoint.find(part.name(names, block)).orElseThrow()));
    return new BlockSpec(
        block, names.block(block), BlockShape.of(config, block), modules, linears, biases, others);
  }

  /**
   * Whether there is an operation that can take 1/s where a stage's inputs are scaled: a norm, up
   * for down, and v for o where every query head has a value head of its own. Experts' down stays
   * as it is.
   */
  public boolean takesScales(Stage stage) {
    if (shape.mixture() != null && stage == Stage.DOWN) {
      return false;
    }
    return stage != Stage.O || shape.heads() == shape.kvHeads();
  }

  /** All its tensors: linears, biases, others. */
  public List<TensorRef> tensors() {
    List<TensorRef> all = new ArrayList<>(linears.values());
    all.addAll(biases.values());
    all.addAll(others.values());
    return all;
  }

  /**
   * Reads the weights, in the order of {@link #tensors}; experts only when they are asked for, each
   * time anew.
   */
  public BlockWeights load(TensorReader reader) {
    return load(reader, linears.keySet());
  }

  /**
   * Reads the weights, of linears only those of some roles: a pass through a part of the block
   * needs no others. Biases and norms are few, and read in any case.
   */
  public BlockWeights load(TensorReader reader, Set<LinearRole> roles) {
    return load(reader, roles, number -> expert(number, reader));
  }

  /** The same with experts from elsewhere. */
  BlockWeights load(
      TensorReader reader, Set<LinearRole> roles, IntFunction<MixtureWeights.Expert> experts) {
    Set<LinearRole> resident = new TreeSet<>(roles);
    resident.removeIf(role -> role.expert() != LinearRole.NONE);
    List<TensorRef> wanted = new ArrayList<>();
    resident.forEach(role -> wanted.add(linears.get(role)));
    wanted.addAll(tensors().subList(linears.size(), tensors().size()));
    Iterator<float[]> read = reader.readFloats(wanted).iterator();
    Map<LinearRole, float[]> weights = new TreeMap<>();
    resident.forEach(role -> weights.put(role, read.next()));
    Map<LinearRole, float[]> offsets = new TreeMap<>();
    biases.keySet().forEach(role -> offsets.put(role, read.next()));
    Map<BlockPart, float[]> rest = new LinkedHashMap<>();
    others.keySet().forEach(part -> rest.put(part, read.next()));
    return BlockPart.weights(shape, weights, offsets, rest, experts);
  }

  /** Reads some linears, [out×in] each. */
  Map<LinearRole, float[]> read(TensorReader reader, Collection<LinearRole> roles) {
    Iterator<float[]> read =
        reader.readFloats(roles.stream().map(linears::get).toList()).iterator();
    Map<LinearRole, float[]> weights = new TreeMap<>();
    roles.forEach(role -> weights.put(role, read.next()));
    return weights;
  }

  private MixtureWeights.Expert expert(int number, TensorReader reader) {
    return expert(number, read(reader, LinearRole.ofExpert(number)));
  }

  /** Reads what an expert's inside is made by: gate and up, without down. */
  public MixtureWeights.Expert inside(int number, TensorReader reader) {
    return expert(number, read(reader, rolesInside(number)));
  }

  /** Gate and up of an expert. */
  static List<LinearRole> rolesInside(int number) {
    return LinearRole.ofExpert(number).subList(0, 2);
  }

  /** An expert of its linears; what is not among them is null. */
  static MixtureWeights.Expert expert(int number, Map<LinearRole, float[]> weights) {
    List<LinearRole> roles = LinearRole.ofExpert(number);
    return new MixtureWeights.Expert(
        weights.get(roles.get(0)), weights.get(roles.get(1)), weights.get(roles.get(2)));
  }
}
