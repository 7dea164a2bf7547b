package io.shardpress.spark.learn.scales;

import java.io.Serializable;

/**
 * What a part of a batch says of a block's scales.
 *
 * @param loss mean over the part's windows
 * @param gradients ∂loss/∂ the logarithms of each linear's scales [out × groups], in the order of
 *     their roles; null where they were not asked for
 */
@SuppressWarnings("ArrayRecordComponent") // crosses Spark, is compared with nothing
public record ScaleGradient(double loss, float[][] gradients) implements Serializable {}
