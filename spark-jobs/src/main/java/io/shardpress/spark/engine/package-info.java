/**
 * Steps: what names their parts, what carries them across Spark, and what runs them. Knows no model
 * and no learner: steps are defined in the rooms of their topics.
 */
package io.shardpress.spark.engine;
