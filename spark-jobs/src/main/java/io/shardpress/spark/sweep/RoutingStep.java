package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Takes a sample partition through a block's attention, up to where its mixture of experts reads:
 * the residual stream of each window, and if asked for the experts that its tokens go through.
 *
 * @param part see {@link Routed}
 * @param input the block's input
 */
public record RoutingStep(
    PartKey part,
    ChainLink link,
    PartKey input,
    SamplePartition samples,
    int window,
    boolean routes)
    implements Step {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul()).attentionOnly();
    Mixture mixture = new Mixture(shape, environment.matmul());
    Set<LinearRole> attention = new TreeSet<>(shape.linears(Stage.QKV));
    attention.addAll(shape.linears(Stage.O));
    BlockWeights weights = link.load(environment.reader(), environment.store(), attention);
    int batch = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    int perToken = shape.mixture().perToken();
    BlockActivations a = new BlockActivations(shape, batch * window);
    int[] experts = new int[samples.count() * window * perToken];
    try (PartReader reader = environment.store().read(input);
        PartWriter writer = environment.store().write(part)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        int rows = count * window;
        for (int i = 0; i < count; i++) {
          Activations.read(reader, first + i, a.input(), i * size);
        }
        block.forward(weights, rows, a, environment.workers());
        Activations.write(
            writer, samples.count(), first, count, window, a.middle(), shape.hidden());
        if (routes) {
          float[] read = a.stageInput(Stage.GATE_UP);
          Routing routing =
              mixture.route(rows, read, weights.mixture().router(), environment.workers());
          System.arraycopy(
              routing.experts(), 0, experts, first * window * perToken, rows * perToken);
        }
      }
      if (routes) {
        Routed.write(writer, experts, samples.count() * window, shape.mixture());
      }
      writer.commit();
    }
  }
}
