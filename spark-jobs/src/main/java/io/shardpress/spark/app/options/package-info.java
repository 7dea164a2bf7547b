/** What the command line understood, as records; and the exit codes. */
package io.shardpress.spark.app.options;
