package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Writes a tile of a linear again with other scales.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param scales the part with the scales of the block's linears
 * @param solved the linear as it was, one part for each of its tiles
 * @param index of the tile
 * @param source the weights before quantization
 */
public record RescaleStep(
    String arithmetic,
    PartKey scales,
    LinearRole role,
    LearnedLinear solved,
    int index,
    TensorRef source)
    implements Step {
  private static final StepKind KIND = new StepKind("scales.rescale", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(solved.tiles().get(index));
  }

  @Override
  public void run(TaskEnvironment environment) {
    RowTile tile = RowTile.of(solved.out(), solved.in()).get(index);
    QuantizedLinear before = solved.readTile(environment.store(), index, tile);
    int groups = before.steps().groups();
    int first = tile.start() * groups;
    float[] learned =
        Arrays.copyOfRange(readScales(environment.store()), first, first + tile.count() * groups);
    QuantizedLinear after =
        new QuantizedLinear(
            before.out(),
            before.in(),
            before.scheme(),
            before.codes(),
            new Steps(before.out(), groups, learned, before.steps().zeros()));
    float[] original = environment.reader().readFloats(source, tile.start(), tile.count());
    try (PartWriter writer = environment.store().write(part())) {
      TileCodec.write(writer, solved.module(), solved.out(), tile.start(), after, original, null);
      writer.commit();
    }
  }

  private float[] readScales(PartStore store) {
    try (PartReader reader = store.read(scales)) {
      return reader.row(role.label()).floats();
    }
  }

  /** Writes the scales [out × groups] of a block's linears as the part that units read. */
  public static void writeScales(
      PartStore store, PartKey part, Map<LinearRole, LearnedLinear> linears, float[][] scales) {
    try (PartWriter writer = store.write(part)) {
      int next = 0;
      for (LinearRole role : linears.keySet()) {
        int out = linears.get(role).out();
        float[] values = scales[next++];
        long groups = values.length / out;
        writer.add(PartRow.ofFloats(role.label(), List.of((long) out, groups), 0, out, values, 0));
      }
      writer.commit();
    }
  }
}
