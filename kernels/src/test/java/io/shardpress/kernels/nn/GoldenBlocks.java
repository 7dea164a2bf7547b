package io.shardpress.kernels.nn;

import io.shardpress.kernels.reference.GoldenModel;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.TreeMap;

/** The blocks of a model that has golden numbers. */
final class GoldenBlocks {
  private GoldenBlocks() {}

  static BlockWeights weights(GoldenModel model, int block) {
    Map<LinearRole, float[]> linears = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      linears.put(role, model.weights().get(model.names().linear(block, role)));
    }
    return new BlockWeights(
        linears,
        Map.of(),
        model.weights().get(model.names().inputNorm(block)),
        model.weights().get(model.names().postNorm(block)),
        null,
        null);
  }
}
