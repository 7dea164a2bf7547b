/**
 * Learners: which steps learn a block, and in what order blocks learn. Naming and work of a learner
 * lie side by side in a room of its own below.
 */
package io.shardpress.spark.learn;
