/**
 * What will be done to a checkpoint, worked out from headers and recipe alone: every input tensor
 * has one entry. Nothing here reads a weight or starts a job.
 */
package io.shardpress.spark.plan;
