/**
 * The Spark SQL source "safetensors": a checkpoint as a table of weight tiles, for inspection with
 * SQL. Heavy work takes descriptors and reads its own bytes instead.
 */
package io.shardpress.spark.datasource;
