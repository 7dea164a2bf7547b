package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.ScalesLinear;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.blockwise.LearningBatches;
import java.util.Map;
import java.util.TreeMap;

/** A block with room for a pass and for its gradients, for one task at a time. */
final class ScaleLearner {
  // The steps are taken where the sums are made.
  private static final LearningRate NONE = new LearningRate(0, 1, LearningRate.Decay.COSINE);

  private final Map<LinearRole, ScalesLinear> linears = new TreeMap<>();
  private final BlockwiseLearner learner;

  /**
   * @param weights what is not learned
   * @param start what is; only read, so that learners may share it
   */
  ScaleLearner(
      ScaleCourse course,
      BlockWeights weights,
      Map<LinearRole, QuantizedLinear> start,
      TaskEnvironment environment) {
    start.forEach((role, linear) -> linears.put(role, new ScalesLinear(linear, course.format())));
    DecoderBlock block =
        new DecoderBlock(course.spec().shape(), course.window(), environment.matmul());
    learner = new BlockwiseLearner(block, weights, linears, course.together(), NONE);
  }

  /** Takes the scales' logarithms in the order of the linears' roles. */
  void load(float[][] logScales) {
    int next = 0;
    for (ScalesLinear linear : linears.values()) {
      float[] from = logScales[next++];
      System.arraycopy(from, 0, linear.logScales(), 0, from.length);
    }
  }

  /** Where windows are brought to this learner. */
  LearningBatches batches(ScaleCourse course, TaskEnvironment environment) {
    return new LearningBatches(
        environment,
        course.inputs(),
        course.targets(),
        course.samples(),
        learner,
        course.together(),
        course.window() * course.spec().shape().hidden());
  }

  /** Loss and gradients of windows that go through together. */
  ScaleGradient gradient(int[] windows, LearningBatches batches, Workers workers) {
    for (int i = 0; i < windows.length; i++) {
      batches.load(windows[i], i);
    }
    double loss = learner.gradients(batches.target(), windows.length, workers);
    float[][] gradients =
        linears.values().stream().map(linear -> linear.gradient().clone()).toArray(float[][]::new);
    return new ScaleGradient(loss, gradients);
  }
}
