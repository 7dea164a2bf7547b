/**
 * What is published: files that tasks write, the folder that they stand in, and its verification.
 */
package io.shardpress.spark.output;
