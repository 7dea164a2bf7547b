package io.shardpress.spark.sweep;

import io.shardpress.spark.block.EmbeddingLookup;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;

/**
 * Looks up the embeddings of a sample partition: the first block's input.
 *
 * @param scale by which they are multiplied
 */
public record EmbedStep(
    PartKey tokens, TensorRef embedding, float scale, SamplePartition samples, int window)
    implements Step {
  private static final StepKind KIND = new StepKind("embed", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    int width = Math.toIntExact(embedding.columns());
    int[] ids = new int[samples.count() * window];
    try (PartReader reader = environment.store().read(tokens)) {
      WindowsPart.read(reader, samples, ids);
    }
    float[] x = new float[ids.length * width];
    new EmbeddingLookup(embedding, scale, environment.reader()).lookUp(ids, x);
    try (PartWriter writer = environment.store().write(part())) {
      Activations.write(writer, samples.count(), 0, samples.count(), window, x, width);
      writer.commit();
    }
  }
}
