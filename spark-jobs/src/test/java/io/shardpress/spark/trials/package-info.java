/** Situations that people have reported of such tools, each by its smallest input. */
package io.shardpress.spark.trials;
