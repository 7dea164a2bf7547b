package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.GptqSettings;

/**
 * GPTQ's settings, whether it is the learner itself or where LRQ starts.
 *
 * @param keepCompensated whether the weights before rounding are kept for a learner that follows
 */
record GptqParameters(GptqSettings settings, boolean keepCompensated) {}
