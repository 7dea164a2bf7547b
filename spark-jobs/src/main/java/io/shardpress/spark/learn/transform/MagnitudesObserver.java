package io.shardpress.spark.learn.transform;

import io.shardpress.kernels.learn.InputMagnitudes;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Batch;
import io.shardpress.spark.sweep.Observation;
import io.shardpress.spark.sweep.Observer;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Notes how large the inputs of a block's sites are, channel by channel. */
record MagnitudesObserver() implements Observer {
  private static final String LARGEST = ".largest";
  private static final String SUMS = ".sums";
  private static final String TOKENS = ".tokens";

  @Override
  public Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment) {
    return new Magnitudes(link.spec().shape());
  }

  private static final class Magnitudes implements Observation {
    private final Map<Stage, InputMagnitudes> seen = new EnumMap<>(Stage.class);

    Magnitudes(BlockShape shape) {
      for (Stage site : Stage.values()) {
        seen.put(site, new InputMagnitudes(shape.in(site)));
      }
    }

    @Override
    public void site(Stage site, Batch batch) {
      if (batch.shape().mixture() != null && site == Stage.DOWN) {
        // Each expert has an inside of its own.
        return;
      }
      seen.get(site).observe(batch.activations().stageInput(site), batch.rows(), batch.workers());
    }

    @Override
    public void write(PartWriter writer) {
      seen.forEach((site, magnitudes) -> MagnitudesObserver.write(writer, site, magnitudes));
    }
  }

  private static void write(PartWriter writer, Stage stage, InputMagnitudes magnitudes) {
    writer.add(PartRow.ofFloats(stage + LARGEST, magnitudes.absMax()));
    writer.add(PartRow.ofDoubles(stage + SUMS, magnitudes.sums()));
    writer.note(stage + TOKENS, String.valueOf(magnitudes.tokens()));
  }

  /** What all sample partitions saw of a site's inputs, merged in their order. */
  static InputMagnitudes read(PartStore store, List<PartKey> parts, Stage stage) {
    List<InputMagnitudes> each = store.readEach(parts, reader -> read(reader, stage));
    InputMagnitudes all = each.get(0);
    each.subList(1, each.size()).forEach(all::merge);
    return all;
  }

  private static InputMagnitudes read(PartReader reader, Stage stage) {
    return new InputMagnitudes(
        Long.parseLong(reader.note(stage + TOKENS)),
        reader.row(stage + LARGEST).floats(),
        reader.row(stage + SUMS).doubles());
  }
}
