/** What learning costs: products, memory of the largest task, tasks side by side. */
package io.shardpress.spark.learn.cost;
