package io.shardpress.spark.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A folder of weights in FP8 E4M3 as DeepSeek-V3 has them, a weight_scale_inv for every block of
 * 128×128, or with weight_scale for the whole tensor or each row.
 */
final class Fp8Folder implements FolderFormat {
  private static final String WEIGHT = ".weight";
  private static final List<String> OF_ACTIVATIONS =
      List.of(".input_scale", ".activation_scale", ".k_scale", ".v_scale", ".kv_scale");

  private final Checkpoint checkpoint;
  private final FolderTensors tensors;
  private final FolderConfig config;

  Fp8Folder(Checkpoint checkpoint, FolderConfig config) {
    this.checkpoint = checkpoint;
    this.tensors = new FolderTensors(checkpoint);
    this.config = config;
    String format = config.text("fmt");
    if (!format.isEmpty() && !format.equals("e4m3")) {
      throw config.wrong("fmt", "e4m3");
    }
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> weights = new HashMap<>();
    for (TensorRef tensor : checkpoint.inFiles()) {
      boolean eightBits = tensor.dtype() == Dtype.F8_E4M3;
      if (eightBits && tensor.tensor().endsWith(WEIGHT) && tensor.shape().size() == 2) {
        weights.put(tensor.tensor(), weight(tensor));
      } else if (eightBits || tensor.dtype() == Dtype.F8_E5M2) {
        throw FolderTensors.bad(
            tensor,
            "found %s of shape %s, wanted weights in F8_E4M3 with two sides"
                .formatted(tensor.dtype(), tensor.shape()));
      }
    }
    return weights;
  }

  private Weight weight(TensorRef codes) {
    String inverse = codes.tensor() + "_scale_inv";
    long out = codes.rows();
    long in = codes.columns();
    if (tensors.find(inverse).isPresent()) {
      long down = side(0);
      long across = side(1);
      TensorRef scales =
          tensors.floats(inverse, (out + down - 1) / down, (in + across - 1) / across);
      return new Weight(codes.shape(), new Fp8Weight(codes, scales, down, across));
    }
    String scale = codes.tensor() + "_scale";
    TensorRef scales =
        tensors
            .find(scale)
            .orElseThrow(() -> tensors.missing(inverse, "nor " + scale + ", wanted one of them"));
    tensors.floats(scale, scales.shape());
    if (scales.elements() != 1 && !scales.shape().equals(List.of(out, 1L))) {
      throw FolderTensors.bad(
          scales,
          String.format(Locale.ROOT, "found shape %s, wanted [1] or [%d, 1]", scales.shape(), out));
    }
    return new Weight(
        codes.shape(), new Fp8Weight(codes, scales, scales.elements() == 1 ? out : 1, in));
  }

  private long side(int index) {
    JsonNode size = config.quantization().path("weight_block_size");
    if (size.size() != 2 || size.path(index).asLong() < 1) {
      throw config.wrong("weight_block_size", "two whole numbers, such as [128, 128]");
    }
    return size.path(index).asLong();
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
}
