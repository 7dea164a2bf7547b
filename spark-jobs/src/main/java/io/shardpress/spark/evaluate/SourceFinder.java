package io.shardpress.spark.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.LinearFormat;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.output.PackedScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds the tensors of a model, dense or packed, and holds them against its config.json. */
final class SourceFinder {
  private static final String QUANTIZATION = "quantization_config";
  private static final String WEIGHT = ".weight";
  private static final String PACKED = ".weight_packed";
  private static final String SCALE = ".weight_scale";
  private static final String ZERO_POINT = ".weight_zero_point";
  private static final String SHAPE = ".weight_shape";

  private final Checkpoint checkpoint;
  private final String configFile;
  private final ModelConfig config;
  private final Optional<PackedScheme> schemes;
  private final DecoderNames names;
  private final Optional<ActivationFinder> activations;

  SourceFinder(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    this.configFile = checkpoint.uri() + "/config.json";
    ObjectNode json = StrictJson.object(configFile, checkpoint.configJson());
    JsonNode text = json.path("text_config");
    JsonNode packing = json.path(QUANTIZATION);
    if (packing.isMissingNode()) {
      packing = text.path(QUANTIZATION);
    }
    this.schemes =
        packing.isObject()
            ? Optional.of(PackedScheme.parse(configFile, packing))
            : Optional.empty();
    // The model itself is that of the same file without the packing.
    json.remove(QUANTIZATION);
    if (text instanceof ObjectNode nested) {
      nested.remove(QUANTIZATION);
    }
    this.config = ModelConfig.parse(configFile, json.toString().getBytes(StandardCharsets.UTF_8));
    this.names = DecoderNames.of(checkpoint.shapes().keySet());
    this.activations =
        schemes.map(
            packed ->
                new ActivationFinder(
                    configFile, packed, names, name -> floats(name, 1), name -> bytes(name, 1)));
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
        BlockShape.of(config),
        embedding,
        blocks,
        floats(names.finalNorm(), hidden),
        config.tieWordEmbeddings()
            ? new DenseWeight(embedding)
            : linear(head, config.vocabSize(), config.hiddenSize()));
  }

  private BlockSource block(int block) {
    Map<LinearRole, WeightSource> linears = new EnumMap<>(LinearRole.class);
    Map<LinearRole, TensorRef> biases = new EnumMap<>(LinearRole.class);
    for (LinearRole role : LinearRole.values()) {
      linears.put(role, linear(names.module(block, role), role.out(config), role.in(config)));
      if (role.bias(config)) {
        biases.put(role, floats(names.bias(block, role), role.out(config)));
      }
    }
    long hidden = config.hiddenSize();
    long head = config.headDim();
    return new BlockSource(
        linears,
        biases,
        floats(names.inputNorm(block), hidden),
        floats(names.postNorm(block), hidden),
        config.qkNorm() ? floats(names.qNorm(block), head) : null,
        config.qkNorm() ? floats(names.kNorm(block), head) : null,
        activations.map(finder -> finder.of(block)).orElse(null));
  }

  private WeightSource linear(String module, int out, int in) {
    Optional<TensorRef> dense = checkpoint.find(module + WEIGHT);
    Optional<TensorRef> packed = checkpoint.find(module + PACKED);
    Optional<SchemeGroup> scheme = schemes.flatMap(s -> s.of(module));
    if (packed.isPresent() && scheme.isEmpty()) {
      throw bad(
          packed.get(),
          "found it packed, but no group of quantization_config means "
              + module
              + "; config.json and tensors are not of one checkpoint");
    }
    boolean integers = dense.isPresent() && dense.get().dtype() == Dtype.I8;
    if (integers && scheme.isPresent()) {
      return integers(module, scheme.get(), out, in);
    }
    // vLLM does not count lm_head as a linear, Transformers does: it may be either.
    boolean head = names.lmHead().equals(module + WEIGHT);
    if (packed.isEmpty() && dense.isPresent() && scheme.isPresent() && !head) {
      throw bad(
          dense.get(),
          "found it in full precision, wanted "
              + module
              + (scheme.get().activations() == null ? PACKED : WEIGHT + " as I8")
              + " by quantization_config; name "
              + module
              + " in its ignore");
    }
    return packed.isEmpty() && (dense.isPresent() || scheme.isEmpty())
        ? new DenseWeight(floats(module + WEIGHT, out, in))
        : packed(module, scheme.get(), out, in);
  }

  private PackedWeight packed(String module, SchemeGroup group, int out, int in) {
    boolean beside = group.weights().outliers();
    LinearFormat format =
        beside ? LinearFormat.PACK_QUANTIZED_OUTLIERS : LinearFormat.PACK_QUANTIZED;
    checkTensors(module, group, format, out, in);
    return new PackedWeight(
        checkpoint.find(module + PACKED).orElseThrow(),
        checkpoint.find(module + SCALE).orElseThrow(),
        checkpoint.find(module + ZERO_POINT).orElse(null),
        checkpoint.find(module + CompressedTensors.GROUP_INDEX).orElse(null),
        beside ? outliers(module) : null,
        checkpoint.find(module + SHAPE).orElseThrow(),
        group.weights(),
        out,
        in);
  }

  private OutlierWeights outliers(String module) {
    String name = module + CompressedTensors.OUTLIER_INDICES;
    TensorRef indices =
        checkpoint
            .find(name)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        "%s: tensor %s: found no such tensor, wanted one by the format %s"
                            .formatted(
                                checkpoint.uri(),
                                name,
                                LinearFormat.PACK_QUANTIZED_OUTLIERS.word())));
    if (indices.shape().size() != 1) {
      throw bad(indices, "found shape %s, wanted one side".formatted(indices.shape()));
    }
    return new OutlierWeights(
        typed(name, Dtype.I32, indices.shape()),
        floats(module + CompressedTensors.OUTLIER_VALUES, indices.shape()));
  }

  private IntWeight integers(String module, SchemeGroup group, int out, int in) {
    if (names.lmHead().equals(module + WEIGHT)) {
      throw bad(
          checkpoint.find(module + WEIGHT).orElseThrow(),
          "found it with quantized inputs, which are simulated inside blocks only; wanted "
              + module
              + " in full precision or packed");
    }
    checkTensors(module, group, LinearFormat.INT_QUANTIZED, out, in);
    return new IntWeight(
        checkpoint.find(module + WEIGHT).orElseThrow(),
        checkpoint.find(module + SCALE).orElseThrow(),
        checkpoint.find(module + ZERO_POINT).orElse(null),
        group.weights(),
        out,
        in);
  }

  /** Holds a linear's tensors against those that its group becomes. */
  private void checkTensors(
      String module, SchemeGroup group, LinearFormat format, int out, int in) {
    WeightScheme scheme = group.weights();
    if (LinearFormat.of(group) != format) {
      throw new CheckpointException(
          "%s: quantization_config: found input_activations %s for %s, whose weight is %s; config.json and tensors are not of one checkpoint"
              .formatted(configFile, group.activations(), module, format.word()));
    }
    if (!scheme.divides(in)) {
      throw new CheckpointException(
          "%s: quantization_config: found groups of %d, wanted a divisor of the %d inputs of %s"
              .formatted(configFile, scheme.groupSize(), in, module));
    }
    if (!scheme.indexed()) {
      checkpoint
          .find(module + CompressedTensors.GROUP_INDEX)
          .ifPresent(
              index -> {
                throw bad(
                    index,
                    "found it, wanted none: by config.json actorder is " + scheme.order().word());
              });
    }
    if (!scheme.outliers()) {
      checkpoint
          .find(module + CompressedTensors.OUTLIER_INDICES)
          .ifPresent(
              outliers -> {
                throw bad(
                    outliers,
                    "found it, wanted none by the format "
                        + format.word()
                        + "; config.json and tensors are not of one checkpoint");
              });
    }
    if (scheme.symmetric()) {
      checkpoint
          .find(module + ZERO_POINT)
          .ifPresent(
              zero -> {
                throw bad(zero, "found it, wanted none: config.json says symmetric");
              });
    }
    for (OutputTensor wanted :
        CompressedTensors.outputTensors(module, out, in, group, Dtype.F32.name())) {
      if (wanted.dtype().equals(Dtype.F32.name())) {
        floats(wanted.name(), wanted.shape());
      } else {
        typed(wanted.name(), Dtype.of(wanted.dtype()), wanted.shape());
      }
    }
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

  private TensorRef bytes(String name, long side) {
    return typed(name, Dtype.I8, List.of(side));
  }

  private TensorRef typed(String name, Dtype dtype, List<Long> shape) {
    TensorRef tensor = shaped(name, shape);
    if (tensor.dtype() != dtype) {
      throw bad(tensor, "found dtype %s, wanted %s".formatted(tensor.dtype(), dtype));
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
