/**
 * What evaluating a checkpoint against its original takes: two models read from their files, dense
 * or packed, walked block after block over held-out windows. Spark jobs are started elsewhere.
 */
package io.shardpress.spark.evaluate;
