/**
 * The part store: results of steps as Arrow files named by what they were made from. Which steps
 * there are is not its business.
 */
package io.shardpress.spark.store;
