/** What the inspect command shows of a checkpoint: its tensors, and statistics of their values. */
package io.shardpress.spark.inspect;
