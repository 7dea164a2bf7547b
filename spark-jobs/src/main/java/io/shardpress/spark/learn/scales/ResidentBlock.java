package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import java.lang.ref.SoftReference;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The block whose scales this process worked on last, so that the steps that follow need not read
 * and unpack it again. A process keeps one block at most, with a learner for each task that ran at
 * the same time, and gives them up as soon as memory is wanted for something else: that costs time
 * and changes no number.
 */
final class ResidentBlock {
  private static SoftReference<ResidentBlock> latest = new SoftReference<>(null);

  private final ScaleCourse course;
  private final BlockWeights weights;
  private final Map<LinearRole, QuantizedLinear> start = new TreeMap<>();
  private final ConcurrentLinkedQueue<ScaleLearner> idle = new ConcurrentLinkedQueue<>();

  private ResidentBlock(ScaleCourse course, TaskEnvironment environment) {
    this.course = course;
    Set<LinearRole> others = new TreeSet<>(course.spec().linears().keySet());
    others.removeAll(course.start().keySet());
    weights = course.spec().load(environment.reader(), others);
    course.start().forEach((role, linear) -> start.put(role, linear.read(environment.store())));
  }

  /** The block of a course; tasks that ask for it at the same time read it once. */
  static synchronized ResidentBlock of(ScaleCourse course, TaskEnvironment environment) {
    ResidentBlock block = latest.get();
    if (block == null || !block.name().equals(course.part())) {
      latest.clear();
      block = new ResidentBlock(course, environment);
      latest = new SoftReference<>(block);
    }
    return block;
  }

  /** Lets go of a course's block. */
  static synchronized void forget(ScaleCourse course) {
    ResidentBlock block = latest.get();
    if (block != null && block.name().equals(course.part())) {
      latest.clear();
    }
  }

  private PartKey name() {
    return course.part();
  }

  /** The scales of the start, [out × groups] of each linear. */
  float[][] scales() {
    return start.values().stream().map(linear -> linear.steps().scales()).toArray(float[][]::new);
  }

  /** A learner that no other task has. */
  ScaleLearner borrow(TaskEnvironment environment) {
    ScaleLearner learner = idle.poll();
    return learner == null ? new ScaleLearner(course, weights, start, environment) : learner;
  }

  void giveBack(ScaleLearner learner) {
    idle.add(learner);
  }
}
