/**
 * Steps and how they run on Spark: names of parts, resume, retries, hosts, cpus and kills of tasks,
 * work counted, what a task has at hand. Knows no model.
 */
package io.shardpress.spark.engine;
