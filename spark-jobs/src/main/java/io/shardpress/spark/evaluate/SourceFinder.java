package io.shardpress.spark.evaluate;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.output.PackedScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.block.EmbeddingLookup;
import io.shardpress.spark.foreign.FolderTensors;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Finds the tensors of a model, dense or quantized, and holds them against its config.json. */
final class SourceFinder {
  private static final String WEIGHT = ".weight";

  private final Checkpoint checkpoint;
  private final String configFile;
  private final ModelConfig config;
  private final Optional<PackedScheme> schemes;
  private final DecoderNames names;
  private final Optional<ActivationFinder> activations;

  SourceFinder(Checkpoint folder) {
    this.checkpoint = QuantizedFolder.dequantized(folder, Dtype.F32);
    this.configFile = checkpoint.uri() + "/config.json";
    this.config = ModelConfig.parse(configFile, checkpoint.configJson());
    this.schemes = QuantizedFolder.schemes(folder);
    this.names = DecoderNames.of(checkpoint.shapes().keySet(), config);
    FolderTensors tensors = new FolderTensors(folder);
    this.activations =
        schemes.map(
            packed ->
                new ActivationFinder(
                    configFile,
                    packed,
                    names,
                    config,
                    name -> tensors.floats(name, 1),
                    name -> tensors.typed(name, Dtype.I8, List.of(1L))));
  }

  ModelSource find() {
    config
        .unsupportedReason()
        .ifPresent(
            reason -> {
              throw new CheckpointException(
                  configFile
                      + ": evaluate cannot run this model: "
                      + reason
                      + "; it can be compressed without calibration, but not measured here");
            });
    List<BlockSource> blocks = new ArrayList<>();
    for (int block = 0; block < config.layers(); block++) {
      blocks.add(block(block));
    }
    long vocabulary = config.vocabSize();
    long hidden = config.hiddenSize();
    TensorRef embedding = floats(names.embed(), vocabulary, hidden);
    String head = names.lmHead().substring(0, names.lmHead().length() - WEIGHT.length());
    return new ModelSource(
        checkpoint.uri(),
        config.traits(),
        embedding,
        EmbeddingLookup.scale(config, embedding),
        blocks,
        floats(names.finalNorm(), hidden),
        config.tieWordEmbeddings()
            ? new WeightSource(embedding)
            : linear(head, config.vocabSize(), config.hiddenSize()));
  }

  private BlockSource block(int block) {
    Map<LinearRole, WeightSource> linears = new TreeMap<>();
    Map<LinearRole, TensorRef> biases = new TreeMap<>();
    for (LinearRole role : config.linears(block)) {
      linears.put(role, linear(names.module(block, role), role.out(config), role.in(config)));
      if (role.bias(config)) {
        biases.put(role, floats(names.bias(block, role), role.out(config)));
      }
    }
    Map<BlockPart, TensorRef> others = new LinkedHashMap<>();
    for (BlockPart part : BlockPart.of(config, block)) {
      others.put(part, floats(part.name(names, block), part.sides(config)));
    }
    return new BlockSource(
        BlockShape.of(config, block),
        linears,
        biases,
        others,
        activations.map(finder -> finder.of(block)).orElse(null));
  }

  private WeightSource linear(String module, int out, int in) {
    TensorRef weight = floats(module + WEIGHT, out, in);
    boolean head = names.lmHead().equals(module + WEIGHT);
    boolean rounded = schemes.flatMap(s -> s.of(module)).map(SchemeGroup::activations).isPresent();
    if (head && rounded && weight.stored() != null) {
      throw bad(
          weight,
          "found it with quantized inputs, which are simulated inside blocks only; wanted "
              + module
              + " in full precision or packed");
    }
    return new WeightSource(weight);
  }

  private TensorRef floats(String name, long... sides) {
    return floats(name, Arrays.stream(sides).boxed().toList());
  }

  private TensorRef floats(String name, List<Long> shape) {
    TensorRef tensor = shaped(name, shape);
    if (!FloatBytes.handles(tensor.dtype())) {
      throw bad(tensor, "found dtype " + tensor.dtype() + ", wanted F32, F16 or BF16");
    }
    return tensor;
  }

  private TensorRef shaped(String name, List<Long> shape) {
    TensorRef tensor =
        checkpoint
            .find(name)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        "%s: tensor %s: found no such tensor, wanted one of shape %s by config.json"
                            .formatted(checkpoint.uri(), name, shape)));
    if (!tensor.shape().equals(shape)) {
      throw bad(
          tensor, "found shape %s, wanted %s by config.json".formatted(tensor.shape(), shape));
    }
    return tensor;
  }

  private static CheckpointException bad(TensorRef tensor, String what) {
    return new CheckpointException(
        "%s: tensor %s: %s".formatted(tensor.file(), tensor.tensor(), what));
  }
}
