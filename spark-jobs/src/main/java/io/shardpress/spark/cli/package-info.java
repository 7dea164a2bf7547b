/**
 * The command line: options, help, exit codes. It knows no Spark class, so that help and typos are
 * answered at once; the work is behind {@link io.shardpress.spark.app.CommandEngine}.
 */
package io.shardpress.spark.cli;
