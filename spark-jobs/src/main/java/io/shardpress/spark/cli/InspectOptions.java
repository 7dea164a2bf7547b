package io.shardpress.spark.cli;

import java.util.Optional;

/**
 * {@code inspect}.
 *
 * @param model URI of a checkpoint's folder
 * @param tensors names with * and ?, or re: and a regular expression; empty: all
 * @param statistics read the values too, for least, greatest, mean and deviation
 */
public record InspectOptions(
    String model, Optional<String> tensors, boolean statistics, SparkSettings spark) {}
