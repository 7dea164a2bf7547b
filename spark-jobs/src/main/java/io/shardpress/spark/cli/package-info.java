/** The command line: options, exit codes, and what a launcher needs to start Java with. */
package io.shardpress.spark.cli;
