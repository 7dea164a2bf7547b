/**
 * Steps and how they run on Spark: names of parts, resume, retries, task cpus, what a task has at
 * hand. Knows no model.
 */
package io.shardpress.spark.engine;
