/**
 * Steps on the scales of solved linears by the error of their block, with the integers as they are.
 */
package io.shardpress.spark.learn.scales;
