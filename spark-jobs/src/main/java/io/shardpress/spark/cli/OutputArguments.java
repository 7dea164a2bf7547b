package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.output.OutputFormat;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** In what formats a checkpoint is published. */
final class OutputArguments {
  private static final List<GgufType> TYPES =
      List.of(
          GgufType.F32, GgufType.F16, GgufType.BF16, GgufType.Q8_0, GgufType.Q6_K, GgufType.Q4_K);
  private static final Pattern SIZE = Pattern.compile("([1-9][0-9]{0,9})([KMG])");
  private static final Map<String, Long> UNITS =
      Map.of("K", 1_000L, "M", 1_000_000L, "G", 1_000_000_000L);

  @Option(
      names = "--format",
      paramLabel = "NAME",
      description =
          "compressed-tensors (default) or gguf; may be repeated: the formats share the learning.")
  private final List<String> formats = new ArrayList<>();

  @Option(
      names = "--gguf-type",
      paramLabel = "TYPE",
      description =
          "Type in GGUF of matrices that the recipe leaves alone, embeddings among them, by plain"
              + " rounding: F32, F16, BF16, Q8_0, Q6_K or Q4_K; default: as in the model.")
  private String ggufType;

  @Option(
      names = "--gguf-split-size",
      paramLabel = "N(K|M|G)",
      description = "Bytes of tensors in a GGUF file, at most; default: 5G.")
  private String splitSize;

  @Option(
      names = "--runtime",
      paramLabel = "NAME",
      description =
          "vllm (default): what vLLM would not load is refused; any: it is only told, in a warning.")
  private String runtime = "vllm";

  OutputChoice choice() {
    Set<OutputFormat> chosen = EnumSet.noneOf(OutputFormat.class);
    formats.forEach(format -> chosen.add(OutputFormat.named(format)));
    if (chosen.isEmpty()) {
      chosen.add(OutputFormat.COMPRESSED_TENSORS);
    }
    if (!chosen.contains(OutputFormat.GGUF)) {
      refuseAlone("--gguf-type", ggufType);
      refuseAlone("--gguf-split-size", splitSize);
    }
    if (!runtime.equals("vllm") && !runtime.equals("any")) {
      throw new UsageException("--runtime is " + runtime + ", want vllm or any");
    }
    return new OutputChoice(
        chosen, Optional.ofNullable(ggufType).map(this::type), bytes(), runtime.equals("vllm"));
  }

  private static void refuseAlone(String option, String value) {
    if (value != null) {
      throw new UsageException(option + " without --format gguf; add it, or leave the option out");
    }
  }

  private GgufType type(String name) {
    return TYPES.stream()
        .filter(type -> type.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new UsageException("--gguf-type is " + name + ", want one of " + TYPES));
  }

  private long bytes() {
    if (splitSize == null) {
      return OutputChoice.DEFAULT_GGUF_FILE_BYTES;
    }
    Matcher size = SIZE.matcher(splitSize);
    if (!size.matches()) {
      throw new UsageException(
          "--gguf-split-size is " + splitSize + ", want a number and K, M or G, such as 500M");
    }
    return Math.multiplyExact(Long.parseLong(size.group(1)), UNITS.get(size.group(2)));
  }
}
