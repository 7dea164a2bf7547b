/** Runs that publish: the lease on OUTPUT, steps, mending, the record, the manifest. */
package io.shardpress.spark.job;
