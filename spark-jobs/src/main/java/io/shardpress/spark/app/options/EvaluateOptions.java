package io.shardpress.spark.app.options;

import java.util.OptionalDouble;

/**
 * {@code evaluate}.
 *
 * @param original URI of a checkpoint's folder
 * @param compressed URI of the folder that was made from it
 * @param text its file is there
 * @param json print the figures as JSON
 * @param cache how keys and values are rounded
 * @param maxKl end with {@link ExitCodes#LIMIT_EXCEEDED} where the mean KL is above, nats
 */
public record EvaluateOptions(
    String original,
    String compressed,
    TextSettings text,
    boolean json,
    CacheRounding cache,
    OptionalDouble maxKl,
    SparkSettings spark) {}
