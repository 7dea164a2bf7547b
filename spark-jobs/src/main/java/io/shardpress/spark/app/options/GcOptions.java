package io.shardpress.spark.app.options;

/**
 * {@code gc}.
 *
 * @param work URI of a folder that runs had as --work
 * @param keep how many of the last runs keep their parts
 */
public record GcOptions(String work, int keep, SparkSettings spark) {}
