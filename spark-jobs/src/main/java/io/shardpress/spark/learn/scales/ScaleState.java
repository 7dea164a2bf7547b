package io.shardpress.spark.learn.scales;

import java.io.Serializable;

/**
 * What all tasks of a step on scales share.
 *
 * @param logScales natural logarithms of each linear's scales [out × groups], in the order of their
 *     roles
 */
@SuppressWarnings("ArrayRecordComponent") // crosses Spark, is compared with nothing
public record ScaleState(ScaleCourse course, float[][] logScales) implements Serializable {}
