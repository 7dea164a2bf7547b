package io.shardpress.spark.learn.scales;

import io.shardpress.spark.engine.SharedTask;
import io.shardpress.spark.engine.TaskEnvironment;

/**
 * Reads the scales that learning starts from, with a block that stays for the steps: the driver
 * would have to read the integers, too.
 */
public record ScaleStart() implements SharedTask<ScaleCourse, float[][]> {
  /** The scales of each linear [out × groups], in the order of their roles. */
  @Override
  public float[][] run(ScaleCourse course, TaskEnvironment environment) {
    return ResidentBlock.of(course, environment).scales();
  }
}
