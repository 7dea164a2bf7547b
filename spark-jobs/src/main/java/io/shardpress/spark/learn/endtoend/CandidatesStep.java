package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.SparseLatents;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Chooses the integers of a linear that are learned by the end loss: the share of them that lie
 * nearest to a boundary of rounding. The list is fixed before learning.
 *
 * @param linear with the weights before rounding kept
 * @param share of its integers
 */
record CandidatesStep(LearnedLinear linear, double share) implements Step {
  private static final String PLACES = "places";
  private static final String VALUES = "values";
  private static final StepKind KIND = new StepKind("tune.candidates", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(linear.tiles());
  }

  @Override
  public void run(TaskEnvironment environment) {
    QuantizedLinear solved = linear.read(environment.store());
    float[] before = linear.readCompensated(environment.store());
    float[] a = SparseLatents.latents(new Gptq.Result(solved, before));
    SparseLatents chosen = SparseLatents.nearestToBoundary(a, linear.out(), linear.in(), share);
    try (PartWriter writer = environment.store().write(part())) {
      List<Long> shape = List.of((long) chosen.places().length);
      writer.add(PartRow.ofInts(PLACES, shape, 0, chosen.places().length, chosen.places()));
      writer.add(PartRow.ofFloats(VALUES, chosen.values()));
      writer.commit();
    }
  }

  /** Reads them, with latents in place of those at the start unless these are null. */
  static SparseLatents read(PartStore store, PartKey part, int in, float[] latents) {
    try (PartReader reader = store.read(part)) {
      float[] values = latents == null ? reader.row(VALUES).floats() : latents;
      return new SparseLatents(in, reader.row(PLACES).ints(), values);
    }
  }

  /** Reads the latents at the start. */
  static float[] start(PartStore store, PartKey part) {
    try (PartReader reader = store.read(part)) {
      return reader.row(VALUES).floats();
    }
  }
}
