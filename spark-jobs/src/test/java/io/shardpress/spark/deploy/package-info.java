/** The templates under conf and the packaged jar: what people hand to a cluster. */
package io.shardpress.spark.deploy;
