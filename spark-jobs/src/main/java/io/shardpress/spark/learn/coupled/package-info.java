/**
 * Coupled rounding: what GPTQ has solved is descended on with a matrix that says how the end loss
 * couples a site's rows. The matrices come of one way through the full-precision model and back.
 */
package io.shardpress.spark.learn.coupled;
