/**
 * Checkpoints made for tests and scripts: headers of models that no test machine could hold, over
 * files without data, and models of any depth with random weights.
 */
package io.shardpress.spark.layout;
