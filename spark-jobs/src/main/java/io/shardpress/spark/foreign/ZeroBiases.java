package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ExpectedTensor;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Biases of nothing but zeros, which older packers gave to linears that have none. */
final class ZeroBiases {
  private ZeroBiases() {}

  /**
   * Those of a folder, of a family that is known here; one with another number in it is left for
   * the check of the model to refuse.
   *
   * @param integers the suffix of packed linears' integers
   */
  static Map<String, String> of(Checkpoint checkpoint, FolderConfig config, String integers) {
    Map<String, String> unused = new HashMap<>();
    if (!config.model().knownFamily()) {
      return unused;
    }
    DecoderNames names = DecoderNames.of(checkpoint.shapes().keySet());
    Set<String> expected = new HashSet<>();
    for (int block = 0; block < config.model().layers(); block++) {
      names.blockTensors(config.model(), block).stream()
          .map(ExpectedTensor::name)
          .forEach(expected::add);
    }
    try (TensorReader reader = checkpoint.reader()) {
      for (TensorRef tensor : checkpoint.inFiles()) {
        String name = tensor.tensor();
        if (!name.endsWith(integers)) {
          continue;
        }
        String bias = name.substring(0, name.length() - integers.length()) + ".bias";
        Optional<TensorRef> found = checkpoint.findInFiles(bias);
        if (!expected.contains(bias) && found.isPresent() && zeros(reader, found.get())) {
          unused.put(bias, "zeros for a bias that the model does not have");
        }
      }
    }
    return unused;
  }

  private static boolean zeros(TensorReader reader, TensorRef tensor) {
    if (!FloatBytes.handles(tensor.dtype()) || tensor.shape().size() != 1) {
      return false;
    }
    for (float value : reader.readFloats(tensor)) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }
}
