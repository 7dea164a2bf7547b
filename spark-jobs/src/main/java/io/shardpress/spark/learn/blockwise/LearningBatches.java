package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.WindowReader;
import java.util.List;

/** Brings windows of a block's inputs and targets to where its learner reads them. */
public final class LearningBatches implements AutoCloseable {
  private final WindowReader inputs;
  private final WindowReader targets;
  private final BlockwiseLearner learner;
  private final float[] input;
  private final float[] target;
  private final int windows;
  private final int batch;
  private final int size;

  /**
   * @param inputs a part for each sample partition
   * @param targets likewise
   * @param batch windows of a batch, at most
   * @param size elements of a window
   */
  public LearningBatches(
      TaskEnvironment environment,
      List<PartKey> inputs,
      List<PartKey> targets,
      List<SamplePartition> samples,
      BlockwiseLearner learner,
      int batch,
      int size) {
    this.inputs = new WindowReader(environment.store(), inputs, samples);
    this.targets = new WindowReader(environment.store(), targets, samples);
    this.learner = learner;
    this.input = learner.input();
    this.target = new float[batch * size];
    this.windows = samples.stream().mapToInt(SamplePartition::count).sum();
    this.batch = batch;
    this.size = size;
  }

  /** Windows of the whole text. */
  int windows() {
    return windows;
  }

  /** Windows of a batch. */
  int batch() {
    return batch;
  }

  /** The targets of the batch loaded last, [batch·T × hidden]. */
  public float[] target() {
    return target;
  }

  /** Loads a batch of windows drawn with replacement. */
  void draw(SeededRandom random) {
    for (int i = 0; i < batch; i++) {
      load(random.nextInt(windows), i);
    }
  }

  /** Loads a window to a place in the batch. */
  public void load(int window, int place) {
    inputs.read(window, input, place * size);
    targets.read(window, target, place * size);
  }

  /** The sum of the learner's losses on some windows, a batch at a time. */
  public double loss(int[] chosen, Workers workers) {
    double loss = 0;
    for (int first = 0; first < chosen.length; first += batch) {
      int count = Math.min(batch, chosen.length - first);
      for (int i = 0; i < count; i++) {
        load(chosen[first + i], i);
      }
      loss += count * learner.loss(target, count, workers);
    }
    return loss;
  }

  @Override
  public void close() {
    inputs.close();
    targets.close();
  }
}
