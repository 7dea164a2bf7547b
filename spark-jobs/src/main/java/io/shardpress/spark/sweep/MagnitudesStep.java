package io.shardpress.spark.sweep;

import io.shardpress.kernels.learn.InputMagnitudes;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Takes a sample partition through a block in full precision, and notes how large the inputs of its
 * stages are.
 *
 * @param part for the magnitudes
 * @param output for the next block's inputs
 */
public record MagnitudesStep(
    PartKey part,
    PartKey output,
    BlockSpec spec,
    PartKey input,
    SamplePartition samples,
    int window)
    implements Step {
  private static final String LARGEST = ".largest";
  private static final String SUMS = ".sums";
  private static final String TOKENS = ".tokens";

  @Override
  public List<PartKey> parts() {
    return List.of(part, output);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = spec.shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights weights = spec.load(environment.reader());
    Map<Stage, InputMagnitudes> seen = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      seen.put(stage, new InputMagnitudes(shape.in(stage)));
    }
    int batch = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    BlockActivations a = new BlockActivations(shape, batch * window);
    try (PartReader reader = environment.store().read(input);
        PartWriter writer = environment.store().write(output)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, first + i, a.input(), i * size);
        }
        block.forward(weights, count * window, a, environment.workers());
        for (Stage stage : Stage.values()) {
          if (shape.mixture() != null && stage == Stage.DOWN) {
            // Each expert has an inside of its own.
            continue;
          }
          seen.get(stage).observe(a.stageInput(stage), count * window, environment.workers());
        }
        Activations.write(
            writer, samples.count(), first, count, window, a.output(), shape.hidden());
      }
      writer.commit();
    }
    try (PartWriter writer = environment.store().write(part)) {
      seen.forEach((stage, magnitudes) -> write(writer, stage, magnitudes));
      writer.commit();
    }
  }

  private static void write(PartWriter writer, Stage stage, InputMagnitudes magnitudes) {
    writer.add(PartRow.ofFloats(stage + LARGEST, magnitudes.absMax()));
    writer.add(PartRow.ofDoubles(stage + SUMS, magnitudes.sums()));
    writer.note(stage + TOKENS, String.valueOf(magnitudes.tokens()));
  }

  /** What all sample partitions saw of a stage's inputs, merged in their order. */
  public static InputMagnitudes read(PartStore store, List<PartKey> parts, Stage stage) {
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
