package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.DrawnLabels;
import io.shardpress.kernels.nn.HeadGradient;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;

/**
 * Begins the way back: the gradient of −log p(y) by the last block's output, with labels y that are
 * drawn from the model itself. Its part has a row for each window, [T × hidden].
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param input the last block's output
 * @param window tokens of a window
 * @param draw number of the draw, from 0
 */
public record HeadStep(
    String arithmetic,
    ModelHead head,
    PartKey input,
    SamplePartition samples,
    int window,
    long seed,
    int draw)
    implements Step {
  private static final StepKind KIND = new StepKind("backward.head", 1);

  /** Tokens whose gradient is taken together. */
  private static final int TOKENS = 4096;

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(input);
  }

  @Override
  public void run(TaskEnvironment environment) {
    int hidden = Math.toIntExact(head.projection().columns());
    int most = Math.max(1, Math.min(samples.count(), TOKENS / window));
    float[] norm = head.readNorm(environment);
    float[] x = new float[Math.multiplyExact(most * window, hidden)];
    float[] gradient = new float[x.length];
    HeadGradient losses = head.gradient(environment);
    DrawnLabels labels = new DrawnLabels(seed);
    try (PartReader reader = environment.store().read(input);
        PartWriter writer = environment.store().write(part())) {
      for (int first = 0; first < samples.count(); first += most) {
        environment.checkpoint();
        int count = Math.min(most, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, first + i, x, i * window * hidden);
        }
        HeadGradient.Batch batch =
            new HeadGradient.Batch(x, count * window, window, norm, head.rows(environment));
        losses.drawn(batch, labels, draw, samples.first() + first, gradient, environment.workers());
        Activations.write(writer, samples.count(), first, count, window, gradient, hidden);
      }
      writer.commit();
    }
  }
}
