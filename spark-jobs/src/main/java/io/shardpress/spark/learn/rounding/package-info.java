/**
 * Learners without data: round to nearest, EasyQuant, FP8 and FP4, a tile of a tensor at a time.
 */
package io.shardpress.spark.learn.rounding;
