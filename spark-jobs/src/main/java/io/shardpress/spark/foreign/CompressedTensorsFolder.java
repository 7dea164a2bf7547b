package io.shardpress.spark.foreign;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.LinearFormat;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.output.PackedScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A folder in compressed-tensors' formats, those of {@link LinearFormat}. */
final class CompressedTensorsFolder implements FolderFormat {
  private static final String WEIGHT = ".weight";
  private static final String PACKED = ".weight_packed";
  private static final String SCALE = ".weight_scale";
  private static final String ZERO_POINT = ".weight_zero_point";
  private static final String SHAPE = ".weight_shape";

  /** What beside weights a quantized linear or attention has. */
  private static final List<String> OF_ACTIVATIONS =
      List.of(
          CompressedTensors.INPUT_SCALE,
          CompressedTensors.INPUT_ZERO_POINT,
          CompressedTensors.K_SCALE,
          CompressedTensors.V_SCALE);

  private final Checkpoint checkpoint;
  private final FolderTensors tensors;
  private final FolderConfig config;
  private final PackedScheme schemes;
  private final Map<String, List<Long>> linears;

  CompressedTensorsFolder(Checkpoint checkpoint, FolderConfig config) {
    this.checkpoint = checkpoint;
    this.tensors = new FolderTensors(checkpoint);
    this.config = config;
    this.schemes = PackedScheme.parse(checkpoint.uri() + "/config.json", config.quantization());
    this.linears = config.linears(checkpoint);
  }

  @Override
  public Map<String, Weight> weights() {
    Set<String> modules = new TreeSet<>(linears.keySet());
    for (TensorRef tensor : checkpoint.inFiles()) {
      for (String suffix : List.of(PACKED, SCALE)) {
        if (tensor.tensor().endsWith(suffix)) {
          modules.add(module(tensor.tensor(), suffix));
        }
      }
    }
    Map<String, Weight> weights = new HashMap<>();
    for (String module : modules) {
      weight(module).ifPresent(weight -> weights.put(module + WEIGHT, weight));
    }
    return weights;
  }

  @Override
  public Map<String, String> unused() {
    Map<String, String> unused = new HashMap<>();
    for (TensorRef tensor : checkpoint.inFiles()) {
      if (OF_ACTIVATIONS.stream().anyMatch(tensor.tensor()::endsWith)) {
        unused.put(tensor.tensor(), "activations are not rounded once weights are dequantized");
      }
    }
    return unused;
  }

  private static String module(String tensor, String suffix) {
    return tensor.substring(0, tensor.length() - suffix.length());
  }

  /** The weight of a module; empty where it lies dense in the files, or not at all. */
  private Optional<Weight> weight(String module) {
    Optional<TensorRef> dense = tensors.find(module + WEIGHT);
    Optional<TensorRef> packed = tensors.find(module + PACKED);
    Optional<SchemeGroup> group = schemes.of(module);
    if (packed.isPresent() && group.isEmpty()) {
      throw FolderTensors.bad(
          packed.get(),
          "found it packed, but no group of quantization_config means "
              + module
              + "; config.json and tensors are not of one checkpoint");
    }
    if (group.isEmpty()) {
      return Optional.empty();
    }
    if (dense.isPresent() && dense.get().dtype() == Dtype.I8) {
      List<Long> sides = linears.getOrDefault(module, dense.get().shape());
      return Optional.of(new Weight(sides, integers(module, group.get(), sides)));
    }
    if (dense.isPresent() && dense.get().dtype() == Dtype.F8_E4M3) {
      List<Long> sides = linears.getOrDefault(module, dense.get().shape());
      return Optional.of(new Weight(sides, fp8(module, group.get(), sides)));
    }
    if (packed.isEmpty() && dense.isPresent()) {
      // vLLM does not count lm_head as a linear, Transformers does: it may be either.
      if (!module.endsWith("lm_head")) {
        throw FolderTensors.bad(
            dense.get(),
            "found it in full precision, wanted "
                + module
                + wanted(LinearFormat.of(group.get()))
                + " by quantization_config; name "
                + module
                + " in its ignore");
      }
      return Optional.empty();
    }
    if (packed.isPresent() && group.get().weights().form().fp4()) {
      List<Long> bytes = tensors.typed(module + PACKED, Dtype.U8, 2).shape();
      List<Long> sides = linears.getOrDefault(module, List.of(bytes.get(0), 2 * bytes.get(1)));
      return Optional.of(new Weight(sides, fp4(module, group.get(), sides)));
    }
    List<Long> sides =
        linears.containsKey(module)
            ? linears.get(module)
            : sides(module, group.get().weights(), packed);
    return Optional.of(new Weight(sides, packed(module, group.get(), sides)));
  }

  /** Of a family that is not known here, weight_shape says how many of the packed bits count. */
  private List<Long> sides(String module, WeightScheme scheme, Optional<TensorRef> packed) {
    TensorRef words = tensors.typed(module + PACKED, Dtype.I32, 2);
    TensorRef shape = tensors.typed(module + SHAPE, Dtype.I64, List.of(2L));
    ByteBuffer sides;
    try (TensorReader reader = checkpoint.reader()) {
      sides = ByteBuffer.wrap(reader.readBytes(shape)).order(ByteOrder.LITTLE_ENDIAN);
    }
    long out = sides.getLong();
    long in = sides.getLong();
    boolean possible = out == words.rows() && in > 0 && in <= Integer.MAX_VALUE;
    if (!possible || BitPacking.words((int) in, scheme.bits()) != words.columns()) {
      throw FolderTensors.bad(
          shape,
          String.format(
              Locale.ROOT,
              "found [%d, %d], which does not go together with the shape %s of %s at %d bits",
              out,
              in,
              words.shape(),
              packed.orElse(words).tensor(),
              scheme.bits()));
    }
    return List.of(out, in);
  }

  private StoredWeight packed(String module, SchemeGroup group, List<Long> sides) {
    boolean beside = group.weights().outliers();
    LinearFormat format =
        beside ? LinearFormat.PACK_QUANTIZED_OUTLIERS : LinearFormat.PACK_QUANTIZED;
    check(module, group, format, sides);
    return new PackedWeight(
        tensors.find(module + PACKED).orElseThrow(),
        tensors.find(module + SCALE).orElseThrow(),
        tensors.find(module + ZERO_POINT).orElse(null),
        tensors.find(module + CompressedTensors.GROUP_INDEX).orElse(null),
        beside ? outliers(module) : null,
        tensors.find(module + SHAPE).orElseThrow(),
        group.weights(),
        Math.toIntExact(sides.get(0)),
        Math.toIntExact(sides.get(1)));
  }

  private OutlierWeights outliers(String module) {
    String name = module + CompressedTensors.OUTLIER_INDICES;
    TensorRef indices =
        tensors
            .find(name)
            .orElseThrow(
                () ->
                    tensors.missing(
                        name,
                        "wanted one by the format " + LinearFormat.PACK_QUANTIZED_OUTLIERS.word()));
    if (indices.shape().size() != 1) {
      throw FolderTensors.bad(
          indices, "found shape %s, wanted one side".formatted(indices.shape()));
    }
    return new OutlierWeights(
        tensors.typed(name, Dtype.I32, indices.shape()),
        tensors.floats(module + CompressedTensors.OUTLIER_VALUES, indices.shape()));
  }

  private StoredWeight integers(String module, SchemeGroup group, List<Long> sides) {
    check(module, group, LinearFormat.INT_QUANTIZED, sides);
    return new IntWeight(
        tensors.find(module + WEIGHT).orElseThrow(),
        tensors.find(module + SCALE).orElseThrow(),
        tensors.find(module + ZERO_POINT).orElse(null),
        group.weights(),
        Math.toIntExact(sides.get(1)));
  }

  private StoredWeight fp4(String module, SchemeGroup group, List<Long> sides) {
    check(module, group, LinearFormat.of(group), sides);
    return new Fp4Weight(
        tensors.find(module + PACKED).orElseThrow(),
        tensors.find(module + SCALE).orElseThrow(),
        group.weights().form() == WeightForm.NVFP4
            ? tensors.find(module + CompressedTensors.GLOBAL_SCALE).orElseThrow()
            : null);
  }

  private static String wanted(LinearFormat format) {
    return switch (format) {
      case INT_QUANTIZED -> WEIGHT + " as I8";
      case FLOAT_QUANTIZED -> WEIGHT + " as F8_E4M3";
      default -> PACKED;
    };
  }

  private StoredWeight fp8(String module, SchemeGroup group, List<Long> sides) {
    check(module, group, LinearFormat.FLOAT_QUANTIZED, sides);
    WeightForm form = group.weights().form();
    long blockRows =
        switch (form) {
          case FP8_TENSOR -> sides.get(0);
          case FP8_BLOCK -> WeightForm.BLOCK;
          default -> 1;
        };
    return new Fp8Weight(
        tensors.find(module + WEIGHT).orElseThrow(),
        tensors.find(module + SCALE).orElseThrow(),
        blockRows,
        form == WeightForm.FP8_BLOCK ? WeightForm.BLOCK : sides.get(1));
  }

  /** Holds a linear's tensors against those that its group becomes. */
  private void check(String module, SchemeGroup group, LinearFormat format, List<Long> sides) {
    WeightScheme scheme = group.weights();
    int out = Math.toIntExact(sides.get(0));
    int in = Math.toIntExact(sides.get(1));
    if (LinearFormat.of(group) != format) {
      throw new CheckpointException(
          "%s: found input_activations %s for %s, whose weight is %s; config.json and tensors are not of one checkpoint"
              .formatted(config.file(), group.activations(), module, format.word()));
    }
    if (!scheme.divides(in)) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found groups of %d, wanted a divisor of the %d inputs of %s",
              config.file(),
              scheme.groupSize(),
              in,
              module));
    }
    if (!scheme.indexed()) {
      unwanted(
          module + CompressedTensors.GROUP_INDEX,
          "by config.json actorder is " + scheme.order().word());
    }
    if (!scheme.outliers()) {
      unwanted(
          module + CompressedTensors.OUTLIER_INDICES,
          "by the format " + format.word() + "; config.json and tensors are not of one checkpoint");
    }
    if (scheme.symmetric()) {
      unwanted(module + ZERO_POINT, "config.json says symmetric");
    }
    for (OutputTensor wanted :
        CompressedTensors.outputTensors(module, out, in, group, Dtype.F32.name())) {
      if (wanted.dtype().equals(Dtype.F32.name())) {
        tensors.floats(wanted.name(), wanted.shape());
      } else {
        tensors.typed(wanted.name(), Dtype.of(wanted.dtype()), wanted.shape());
      }
    }
  }

  private void unwanted(String name, String why) {
    tensors
        .find(name)
        .ifPresent(
            tensor -> {
              String joint = why.startsWith("by the format") ? " " : ": ";
              throw FolderTensors.bad(tensor, "found it, wanted none" + joint + why);
            });
  }
}
