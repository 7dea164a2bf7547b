package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.LinearFormat;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.output.CardEntry;
import io.shardpress.spark.output.FolderFiles;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.PlannedTensor;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.ShardLayout;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A checkpoint in compressed-tensors, which vLLM and Transformers load. */
public final class CompressedTensorsPublication implements Publication {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING = List.of(LinearSource.class, Fp4Source.class);

  private final CompressionPlan plan;
  private final List<PlannedFile> files;
  private final List<String> warnings;
  private final Map<String, PlanEntry> entries = new HashMap<>();

  CompressedTensorsPublication(CompressionPlan plan, List<String> warnings) {
    this.plan = plan;
    this.files = ShardLayout.of(plan.entries());
    this.warnings = List.copyOf(warnings);
    for (PlanEntry entry : plan.entries()) {
      entry.outputs().forEach(tensor -> entries.put(tensor.name(), entry));
    }
  }

  @Override
  public String word() {
    return CompressedTensorsFormat.WORD;
  }

  @Override
  public List<PlannedFile> files() {
    return files;
  }

  @Override
  public List<String> warnings() {
    return warnings;
  }

  @Override
  public TensorSource source(PlannedTensor tensor, Results results) {
    Dtype dtype = Dtype.of(tensor.type());
    StaticScale scale = results.scales().get(tensor.name());
    if (scale != null) {
      return new LinearSource.Activation(scale, dtype);
    }
    PlanEntry entry = entries.get(tensor.name());
    if (entry.action() == Action.COPY) {
      return new TensorSource.Copy(entry.source());
    }
    QuantizedRows linear = results.quantized(entry.module());
    LearnedLinear parts = results.linears().get(entry.module());
    String suffix = tensor.name().substring(entry.module().length());
    return switch (suffix) {
      case ".weight" -> new LinearSource.Integers(linear);
      case ".weight_packed" -> new LinearSource.Codes(linear);
      case ".weight_scale" ->
          switch (linear.scheme().form()) {
            case MXFP4 -> new Fp4Source.PowersOfTwo(linear);
            case NVFP4 -> new Fp4Source.Scales(parts);
            default -> new LinearSource.Scales(linear, dtype);
          };
      case CompressedTensors.GLOBAL_SCALE -> new Fp4Source.GlobalScale(parts);
      case ".weight_zero_point" ->
          dtype == Dtype.I8 ? new LinearSource.SignedZeros(linear) : new LinearSource.Zeros(linear);
      case CompressedTensors.OUTLIER_INDICES -> new LinearSource.OutlierIndices(parts);
      case CompressedTensors.OUTLIER_VALUES -> new LinearSource.OutlierValues(parts, dtype);
      case CompressedTensors.GROUP_INDEX -> new LinearSource.GroupIndex(parts);
      case ".weight_shape" -> new LinearSource.Shape(linear.out(), linear.in());
      default -> throw new IllegalStateException("no source for " + tensor.name());
    };
  }

  @Override
  public Map<String, List<String>> outputs() {
    Map<String, List<String>> outputs = new HashMap<>();
    for (PlanEntry entry : plan.entries()) {
      if (!entry.outputs().isEmpty()) {
        outputs.put(
            entry.tensor().tensor(), entry.outputs().stream().map(OutputTensor::name).toList());
      }
    }
    return outputs;
  }

  @Override
  public Map<String, byte[]> sideFiles() {
    Map<String, byte[]> side = new TreeMap<>(FolderFiles.copied(plan.checkpoint()));
    side.put("config.json", QuantizationConfig.of(plan));
    side.putAll(FolderFiles.index(files));
    return side;
  }

  @Override
  public CardEntry card() {
    boolean outliers =
        plan.quantized().values().stream()
            .anyMatch(entry -> entry.choice().group().weights().outliers());
    String usage =
        outliers
            ? ") with outliers beside the integers, which neither vLLM nor Transformers loads:"
                + " `shardpress evaluate` does.\n"
            : "). To serve it: `vllm serve FOLDER`; in Python: "
                + "`AutoModelForCausalLM.from_pretrained(\"FOLDER\")`.\n";
    return new CardEntry(
        Optional.of("transformers"),
        List.of("compressed-tensors"),
        "",
        "The format is compressed-tensors (" + formats() + usage);
  }

  /** The formats of the linears, in the order of the recipe. */
  private String formats() {
    if (!plan.recipe().quantizesWeights()) {
      return CompressedTensors.DENSE;
    }
    return plan.recipe().modifiers().stream()
        .flatMap(modifier -> modifier.groups().stream())
        .map(group -> LinearFormat.of(group).word())
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
