package io.shardpress.spark.foreign;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A folder that AutoAWQ wrote, in its version gemm. */
final class AwqFolder implements FolderFormat {
  private static final String INTEGERS = ".qweight";
  private static final int PACKED = 8;

  private final Checkpoint checkpoint;
  private final FolderTensors tensors;
  private final FolderConfig config;
  private final Map<String, List<Long>> linears;

  AwqFolder(Checkpoint checkpoint, FolderConfig config) {
    this.checkpoint = checkpoint;
    this.tensors = new FolderTensors(checkpoint);
    this.config = config;
    this.linears = config.linears(checkpoint);
    String version = config.text("version").toLowerCase(Locale.ROOT);
    if (!version.isEmpty() && !version.equals("gemm")) {
      throw config.wrong("version", "gemm; the others pack in another order");
    }
    String bits = config.quantization().has("w_bit") ? "w_bit" : "bits";
    if (config.quantization().path(bits).asInt() != 4) {
      throw config.wrong(bits, "4");
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
    long in = integers.rows();
    long out = integers.columns() * PACKED;
    List<Long> sides = linears.getOrDefault(module, List.of(out, in));
    if (!sides.equals(List.of(out, in))) {
      throw FolderTensors.bad(
          integers,
          String.format(
              Locale.ROOT,
              "found [%d, %d] packed by %s, wanted %s by config.json",
              out,
              in,
              config.file(),
              sides));
    }
    long groups = tensors.typed(module + ".qzeros", Dtype.I32, 2).rows();
    if (groups == 0 || in % groups != 0) {
      throw FolderTensors.bad(
          integers,
          String.format(
              Locale.ROOT, "found %d groups for %d inputs, wanted a divisor", groups, in));
    }
    return new Weight(
        sides,
        new AwqWeight(
            integers,
            tensors.typed(module + ".qzeros", Dtype.I32, List.of(groups, out / PACKED)),
            tensors.floats(module + ".scales", groups, out)));
  }

  @Override
  public Map<String, String> unused() {
    return ZeroBiases.of(checkpoint, config, INTEGERS);
  }
}
