package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.MixtureShape;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;

/** Notes which experts of a mixture each token goes through, see {@link Routed}. */
public record RoutingObserver() implements Observer {
  @Override
  public Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment) {
    return new Routes(
        new Mixture(link.spec().shape(), environment.matmul()),
        link.spec().shape().mixture(),
        samples.count() * window);
  }

  private static final class Routes implements Observation {
    private final Mixture mixture;
    private final MixtureShape shape;
    private final int tokens;
    private final int[] experts;

    Routes(Mixture mixture, MixtureShape shape, int tokens) {
      this.mixture = mixture;
      this.shape = shape;
      this.tokens = tokens;
      this.experts = new int[tokens * shape.perToken()];
    }

    @Override
    public void end(Batch batch) {
      float[] read = batch.activations().stageInput(Stage.GATE_UP);
      Routing routing =
          mixture.route(batch.rows(), read, batch.weights().mixture().router(), batch.workers());
      int perToken = shape.perToken();
      System.arraycopy(
          routing.experts(),
          0,
          experts,
          batch.first() * batch.window() * perToken,
          batch.rows() * perToken);
    }

    @Override
    public void write(PartWriter writer) {
      Routed.write(writer, experts, tokens, shape);
    }
  }
}
