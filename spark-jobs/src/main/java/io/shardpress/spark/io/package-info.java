/**
 * Checkpoints behind any Hadoop file system: what is there, and its bytes by ranged reads. What the
 * bytes mean is said by schemas; writing is not done here.
 */
package io.shardpress.spark.io;
