/** One class for each command: what it checks, opens and prints. */
package io.shardpress.spark.app;
