/**
 * Steps on the scales and norms of the whole quantized model by the divergence of its output, with
 * the integers as they are. Windows of a batch are spread over tasks; gradients and states are
 * parts.
 */
package io.shardpress.spark.learn.endtoend;
