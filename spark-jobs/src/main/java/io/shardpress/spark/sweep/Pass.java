package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Carries the windows of a partition through a block, a batch at a time. */
final class Pass {
  private final BlockOutput output;
  private final TaskEnvironment environment;
  private final BlockShape shape;

  Pass(BlockOutput output, TaskEnvironment environment) {
    this.output = output;
    this.environment = environment;
    this.shape = output.link().spec().shape();
  }

  void run(PartReader input, Optional<PartWriter> writer, List<Observation> observations) {
    DecoderBlock whole = new DecoderBlock(shape, output.window(), environment.matmul());
    DecoderBlock block = output.span() == Span.BLOCK ? whole : whole.attentionOnly();
    BlockWeights weights = output.link().load(environment.reader(), environment.store(), linears());
    int windows = output.samples().count();
    int most = Batches.windows(shape, output.window(), windows);
    int size = output.window() * shape.hidden();
    BlockActivations a = new BlockActivations(shape, most * output.window());
    for (int first = 0; first < windows; first += most) {
      int count = Math.min(most, windows - first);
      for (int i = 0; i < count; i++) {
        Activations.read(input, first + i, a.input(), i * size);
      }
      Batch batch =
          new Batch(shape, weights, a, first, count, output.window(), environment.workers());
      run(block, batch, observations);
      float[] end = output.span() == Span.BLOCK ? a.output() : a.middle();
      int at = first;
      writer.ifPresent(
          to -> Activations.write(to, windows, at, count, output.window(), end, shape.hidden()));
    }
  }

  private Set<LinearRole> linears() {
    if (output.span() == Span.BLOCK) {
      return output.link().spec().linears().keySet();
    }
    Set<LinearRole> attention = new TreeSet<>(shape.linears(Stage.QKV));
    attention.addAll(shape.linears(Stage.O));
    return attention;
  }

  private void run(DecoderBlock block, Batch batch, List<Observation> observations) {
    block.begin(batch.weights(), batch.rows(), batch.activations(), batch.workers());
    for (Stage site : Stage.values()) {
      if (output.span() == Span.ATTENTION && site == Stage.GATE_UP) {
        break;
      }
      block.run(site, batch.weights(), batch.activations(), batch.workers());
      observations.forEach(observation -> observation.site(site, batch));
    }
    observations.forEach(observation -> observation.end(batch));
  }
}
