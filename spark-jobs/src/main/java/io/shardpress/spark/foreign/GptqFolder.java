package io.shardpress.spark.foreign;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A folder that AutoGPTQ or GPTQModel wrote, in the formats gptq and gptq_v2. */
final class GptqFolder implements FolderFormat {
  private static final String INTEGERS = ".qweight";

  private final Checkpoint checkpoint;
  private final FolderTensors tensors;
  private final FolderConfig config;
  private final Map<String, List<Long>> linears;
  private final boolean lessOne;

  GptqFolder(Checkpoint checkpoint, FolderConfig config) {
    this.checkpoint = checkpoint;
    this.tensors = new FolderTensors(checkpoint);
    this.config = config;
    this.linears = config.linears(checkpoint);
    String key = config.quantization().has("checkpoint_format") ? "checkpoint_format" : "format";
    this.lessOne =
        switch (config.text(key)) {
          case "", "gptq" -> true;
          case "gptq_v2" -> false;
          default -> throw config.wrong(key, "gptq or gptq_v2; convert the folder to one of them");
        };
    String words = config.text("pack_dtype");
    if (!words.isEmpty() && !words.equals("int32")) {
      throw config.wrong("pack_dtype", "int32");
    }
    if (!List.of(2, 3, 4, 8).contains(config.quantization().path("bits").asInt())) {
      throw config.wrong("bits", "2, 3, 4 or 8");
    }
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> weights = new HashMap<>();
    for (TensorRef tensor : checkpoint.inFiles()) {
      if (tensor.tensor().endsWith(INTEGERS)) {
        String name = tensor.tensor();
        String module = name.substring(0, name.length() - INTEGERS.length());
        weights.put(module + ".weight", weight(module));
      }
    }
    return weights;
  }

  private Weight weight(String module) {
    TensorRef integers = tensors.typed(module + INTEGERS, Dtype.I32, 2);
    long out = integers.columns();
    Optional<TensorRef> index = tensors.find(module + ".g_idx");
    long in =
        index
            .map(TensorRef::elements)
            .orElse(integers.rows() * Integer.SIZE / config.quantization().path("bits").asInt());
    // GPTQModel may give modules bits of their own; the sides tell.
    int bits = in == 0 ? 0 : Math.toIntExact(integers.rows() * Integer.SIZE / in);
    boolean own = !config.quantization().path("dynamic").isEmpty();
    boolean said = bits == config.quantization().path("bits").asInt();
    if (bits == 3 && lessOne) {
      throw FolderTensors.bad(
          integers,
          "found 3 bits in the format gptq, in which writers store zero points in two ways; convert the folder to gptq_v2");
    }
    if (!List.of(2, 3, 4, 8).contains(bits)
        || integers.rows() * Integer.SIZE != in * bits
        || !(said || own)) {
      throw FolderTensors.bad(
          integers,
          String.format(
              Locale.ROOT,
              "found %d rows of words for %d inputs, wanted %s bits each by %s",
              integers.rows(),
              in,
              config.quantization().path("bits"),
              config.file()));
    }
    List<Long> sides = linears.getOrDefault(module, List.of(out, in));
    if (!sides.equals(List.of(out, in))) {
      throw FolderTensors.bad(
          integers,
          String.format(
              Locale.ROOT, "found [%d, %d] packed, wanted %s by config.json", out, in, sides));
    }
    long groups = tensors.typed(module + ".qzeros", Dtype.I32, 2).rows();
    if (groups == 0 || (index.isEmpty() && in % groups != 0)) {
      throw FolderTensors.bad(
          integers,
          String.format(
              Locale.ROOT, "found %d groups for %d inputs, wanted a divisor", groups, in));
    }
    long words = BitPacking.words(Math.toIntExact(out), bits);
    return new Weight(
        sides,
        new GptqWeight(
            integers,
            tensors.typed(module + ".qzeros", Dtype.I32, List.of(groups, words)),
            tensors.floats(module + ".scales", groups, out),
            index.map(i -> tensors.typed(i.tensor(), Dtype.I32, List.of(in))).orElse(null),
            bits,
            lessOne,
            Math.toIntExact(in)));
  }

  @Override
  public Map<String, String> unused() {
    return ZeroBiases.of(checkpoint, config, INTEGERS);
  }
}
