package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.store.StoredShard;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Norms as a state has them, as a shard that the plan reads in place of the model's own.
 *
 * @param norms by their name in the state
 * @param fromOne whether norms multiply by 1 + what is stored
 */
record TunedNormsStep(PartKey state, Map<String, TensorRef> norms, boolean fromOne)
    implements Step {
  /** The note with the shard's checksum. */
  static final String CHECKSUM = "checksum";

  private static final StepKind KIND = new StepKind("tune.norms", 1);

  TunedNormsStep {
    norms = Collections.unmodifiableMap(new LinkedHashMap<>(norms));
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    TuneState tuned = TuneState.read(environment.store(), state, false);
    Map<String, String> names =
        norms.entrySet().stream()
            .collect(Collectors.toMap(norm -> norm.getValue().tensor(), Map.Entry::getKey));
    List<TensorSpec> specs =
        SafetensorsHeader.writingOrder(
            norms.values().stream()
                .map(norm -> new TensorSpec(norm.tensor(), norm.dtype(), norm.shape()))
                .toList());
    String checksum =
        StoredShard.write(
            environment.store(),
            part(),
            specs,
            tensor -> bytes(names.get(tensor), tuned, environment));
    try (PartWriter writer = environment.store().write(part())) {
      writer.note(CHECKSUM, checksum);
      writer.commit();
    }
  }

  private byte[] bytes(String name, TuneState tuned, TaskEnvironment environment) {
    TensorRef stored = norms.get(name);
    float[] start = environment.reader().readFloats(stored);
    float offset = fromOne ? 1 : 0;
    if (fromOne) {
      BlockPart.addOne(start);
    }
    float[] weight = TunedBlock.tuned(start, tuned.norm(name), offset, stored.dtype());
    for (int i = 0; i < weight.length; i++) {
      weight[i] -= offset;
    }
    return FloatBytes.encode(stored.dtype(), weight);
  }
}
