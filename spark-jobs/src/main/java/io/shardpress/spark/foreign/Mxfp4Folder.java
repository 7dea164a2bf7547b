package io.shardpress.spark.foreign;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A folder whose experts are in MXFP4, as gpt-oss has them: NAME_blocks and NAME_scales. */
final class Mxfp4Folder implements FolderFormat {
  private static final String BLOCKS = "_blocks";
  private static final long RUN_BYTES = Mxfp4Experts.GROUP / 2;

  private final Checkpoint checkpoint;
  private final FolderTensors tensors;

  Mxfp4Folder(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    this.tensors = new FolderTensors(checkpoint);
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> weights = new HashMap<>();
    for (TensorRef tensor : checkpoint.inFiles()) {
      if (tensor.tensor().endsWith(BLOCKS)) {
        String name = tensor.tensor();
        weights.put(name.substring(0, name.length() - BLOCKS.length()), weight(tensor));
      }
    }
    return weights;
  }

  private Weight weight(TensorRef tensor) {
    String name = tensor.tensor();
    TensorRef blocks = tensors.typed(name, Dtype.U8, 4);
    long experts = blocks.rows();
    long out = blocks.shape().get(1);
    long groups = blocks.shape().get(2);
    if (blocks.shape().get(3) != RUN_BYTES) {
      throw FolderTensors.bad(
          blocks,
          String.format(
              Locale.ROOT,
              "found shape %s, wanted [experts, out, in/32, %d]",
              blocks.shape(),
              RUN_BYTES));
    }
    TensorRef scales =
        tensors.typed(
            name.substring(0, name.length() - BLOCKS.length()) + "_scales",
            Dtype.U8,
            List.of(experts, out, groups));
    return new Weight(
        List.of(experts, groups * Mxfp4Experts.GROUP, out), new Mxfp4Experts(blocks, scales));
  }

  @Override
  public Map<String, String> unused() {
    return Map.of();
  }
}
