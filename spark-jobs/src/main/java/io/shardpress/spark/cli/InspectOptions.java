package io.shardpress.spark.cli;

import java.util.Optional;

/**
 * {@code inspect}.
 *
 * @param model URI of a checkpoint's folder
 * @param tensors a regular expression that a tensor's whole name matches; empty: all
 * @param statistics read the values too, for least, greatest, mean and deviation
 */
public record InspectOptions(
    String model, Optional<String> tensors, boolean statistics, SparkSettings spark) {}
