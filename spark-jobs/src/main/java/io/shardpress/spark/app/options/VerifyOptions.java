package io.shardpress.spark.app.options;

/**
 * {@code verify}.
 *
 * @param output URI of a finished checkpoint's folder
 */
public record VerifyOptions(String output, SparkSettings spark) {}
