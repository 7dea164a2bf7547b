package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes the gradient of a partition of windows back through a block: forward again from the block's
 * stored input, then backward. Only [tokens × hidden] crosses to the block before.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param input the block's input
 * @param gradient ∂loss/∂ the block's output, a row for each window
 * @param window tokens of a window
 * @param first whether no block comes before, so that nobody wants the gradient of the input
 */
public record BackwardStep(
    String arithmetic,
    ChainLink link,
    PartKey input,
    PartKey gradient,
    SamplePartition samples,
    int window,
    boolean first,
    GradientObserver observer)
    implements Step {
  private static final StepKind KIND = new StepKind("backward", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** The part with ∂loss/∂ the block's input; there is none of the first block. */
  public PartKey passedOn() {
    return part("gradient");
  }

  /** The part with what was observed. */
  public PartKey observed() {
    return part("observed");
  }

  @Override
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>(List.of(observed()));
    if (!first) {
      parts.add(passedOn());
    }
    return parts;
  }

  @Override
  public Reads reads() {
    return Reads.parts(input, gradient);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights weights = link.load(environment.reader(), environment.store());
    int most = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    BlockActivations a = new BlockActivations(shape, most * window);
    BlockGradients room = new BlockGradients(shape, most * window);
    float[] dy = new float[most * size];
    float[] dx = first ? null : new float[dy.length];
    GradientObserver.Gathering gathering = observer.begin(shape, environment);
    try (PartReader inputs = environment.store().read(input);
        PartReader gradients = environment.store().read(gradient);
        PartWriter writer = first ? null : environment.store().write(passedOn())) {
      for (int begin = 0; begin < samples.count(); begin += most) {
        environment.checkpoint();
        int count = Math.min(most, samples.count() - begin);
        for (int i = 0; i < count; i++) {
          Activations.read(inputs, begin + i, a.input(), i * size);
          Activations.read(gradients, begin + i, dy, i * size);
        }
        block.begin(weights, count * window, a, environment.workers());
        for (Stage site : Stage.values()) {
          block.run(site, weights, a, environment.workers());
        }
        block.backward(weights, a, dy, dx, room, gathering, environment.workers());
        if (writer != null) {
          Activations.write(writer, samples.count(), begin, count, window, dx, shape.hidden());
        }
      }
      if (writer != null) {
        writer.commit();
      }
    }
    try (PartWriter writer = environment.store().write(observed())) {
      gathering.write(writer);
      writer.commit();
    }
  }
}
