/**
 * GPTQ on corrected targets, with coordinate descent and LRQ by layer: moments, factors, solves by
 * tiles of rows.
 */
package io.shardpress.spark.learn.gptq;
