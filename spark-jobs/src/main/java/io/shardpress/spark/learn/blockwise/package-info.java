/** LRQ, FlexRound and AutoRound: a block, or an expert, learns in one task on its output error. */
package io.shardpress.spark.learn.blockwise;
