package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.output.PackedScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Checkpoint.Dequantized;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads quantized folders as the dense checkpoints that they stand for. */
public final class QuantizedFolder {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(
          AwqWeight.class,
          Fp4Weight.class,
          Fp8Weight.class,
          GptqWeight.class,
          IntWeight.class,
          Mxfp4Experts.class,
          PackedWeight.class);

  private static final String COMPRESSED_TENSORS = "compressed-tensors";

  private QuantizedFolder() {}

  /** Whether a folder says that it is quantized. */
  public static boolean is(Checkpoint checkpoint) {
    return FolderConfig.of(checkpoint).quantization() != null;
  }

  /**
   * The dense checkpoint in 16 bits, as {@link #dtype} has it; a dense one as it is.
   *
   * @throws io.shardpress.schemas.CheckpointException where the packing is none that is read here,
   *     or tensors and config do not go together
   */
  public static Checkpoint dequantized(Checkpoint checkpoint) {
    FolderConfig config = FolderConfig.of(checkpoint);
    return dequantized(checkpoint, config, dtype(config));
  }

  /** What the weights are dequantized to where nothing else is said: F16 for float16, else BF16. */
  public static Dtype dtype(Checkpoint checkpoint) {
    return dtype(FolderConfig.of(checkpoint));
  }

  private static Dtype dtype(FolderConfig config) {
    return config.model().dtype().equals("float16") ? Dtype.F16 : Dtype.BF16;
  }

  /**
   * The same with the numbers rounded to a dtype.
   *
   * @param dtype F32, F16 or BF16; F32 keeps what integers and scales make
   */
  public static Checkpoint dequantized(Checkpoint checkpoint, Dtype dtype) {
    return dequantized(checkpoint, FolderConfig.of(checkpoint), dtype);
  }

  /**
   * What a folder of compressed-tensors says of its linears, and so of how activations are rounded;
   * empty for others, whose activations stay as they are.
   */
  public static Optional<PackedScheme> schemes(Checkpoint checkpoint) {
    FolderConfig config = FolderConfig.of(checkpoint);
    return config.quantization() != null && config.text("quant_method").equals(COMPRESSED_TENSORS)
        ? Optional.of(PackedScheme.parse(checkpoint.uri() + "/config.json", config.quantization()))
        : Optional.empty();
  }

  private static Checkpoint dequantized(Checkpoint checkpoint, FolderConfig config, Dtype dtype) {
    if (config.quantization() == null) {
      return checkpoint;
    }
    FolderFormat format = format(checkpoint, config);
    Map<String, TensorRef> weights = new HashMap<>();
    format
        .weights()
        .forEach(
            (name, weight) ->
                weights.put(name, TensorRef.of(name, dtype, weight.shape(), weight.stored())));
    return checkpoint.dequantized(new Dequantized(weights, format.unused(), config.dense()));
  }

  private static FolderFormat format(Checkpoint checkpoint, FolderConfig config) {
    return switch (config.text("quant_method")) {
      case COMPRESSED_TENSORS -> new CompressedTensorsFolder(checkpoint, config);
      case "gptq" -> new GptqFolder(checkpoint, config);
      case "awq" -> new AwqFolder(checkpoint, config);
      case "fp8" -> new Fp8Folder(checkpoint, config);
      case "mxfp4" -> new Mxfp4Folder(checkpoint);
      default ->
          throw config.wrong(
              "quant_method",
              "compressed-tensors, gptq, awq, fp8 or mxfp4; take the original model, in full precision"
                  + quantizedWeights(checkpoint));
    };
  }

  /** How many weights of linears are in what dtype, where it is none that is read as it is. */
  private static String quantizedWeights(Checkpoint checkpoint) {
    Map<Dtype, Long> counts =
        checkpoint.inFiles().stream()
            .filter(tensor -> tensor.tensor().endsWith(".weight") && tensor.shape().size() == 2)
            .filter(tensor -> !FloatBytes.handles(tensor.dtype()))
            .collect(Collectors.groupingBy(TensorRef::dtype, TreeMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(entry -> "; " + entry.getValue() + " weights in " + entry.getKey())
        .collect(Collectors.joining());
  }
}
