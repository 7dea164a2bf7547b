package io.shardpress.spark.learn.transform;

import io.shardpress.kernels.learn.InputMagnitudes;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.sweep.Batch;
import io.shardpress.spark.sweep.Observation;
import io.shardpress.spark.sweep.Observer;
import io.shardpress.spark.sweep.SamplePartition;

/** Notes how large the inputs of a block's sites are, channel by channel. */
record MagnitudesObserver() implements Observer {
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
      seen.get(site)
          .observe(batch.activations().stageInput(site), batch.rows(), batch.workers());
    }

    @Override
    public void write(PartWriter writer) {
      seen.forEach((site, magnitudes) -> MagnitudesObserver.write(writer, site, magnitudes));
    }
  }

  private static void write(PartWriter writer, Stage stage, InputMagnitudes magnitudes) {
    float[] largest = magnitudes.absMax();
    List<Long> shape = List.of((long) largest.length);
    writer.addFloats(stage + ".largest", shape, 0, largest.length, largest, 0);
    ByteBuffer sums = ByteBuffer.allocate(8 * largest.length).order(ByteOrder.LITTLE_ENDIAN);
    sums.asDoubleBuffer().put(magnitudes.sums());
    writer.add(new PartRow(stage + ".sums", Dtype.F64, shape, 0, largest.length, sums.array()));
    writer.note(stage + ".tokens", String.valueOf(magnitudes.tokens()));
  }

  /** What all sample partitions saw of a stage's inputs, merged in their order. */
  public static InputMagnitudes read(PartStore store, List<PartKey> parts, Stage stage) {
    InputMagnitudes all = null;
    for (PartKey part : parts) {
      try (PartReader reader = store.read(part)) {
        float[] largest = reader.row(2 * stage.ordinal()).floats();
        double[] sums = new double[largest.length];
        ByteBuffer.wrap(reader.row(2 * stage.ordinal() + 1).data())
            .order(ByteOrder.LITTLE_ENDIAN)
            .asDoubleBuffer()
            .get(sums);
        long tokens = Long.parseLong(reader.note(stage + ".tokens"));
        InputMagnitudes one = new InputMagnitudes(tokens, largest, sums);
        if (all == null) {
          all = one;
        } else {
          all.merge(one);
        }
      }
    }
    return all;
  }
}
