/**
 * What one task does: read descriptors and parts, call a kernel, write a part. Which units there
 * are for a model, and in which order, is decided in {@code job}.
 */
package io.shardpress.spark.unit;
