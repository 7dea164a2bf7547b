package io.shardpress.spark.app.options;

import java.util.Optional;

/**
 * {@code inspect}.
 *
 * @param model URI of a checkpoint's folder
 * @param tensors names with * and ?, or re: and a regular expression; empty: all
 * @param statistics read the values too, for least, greatest, mean and deviation
 * @param dequantize show a quantized checkpoint as the dense one that it stands for
 */
public record InspectOptions(
    String model,
    Optional<String> tensors,
    boolean statistics,
    boolean dequantize,
    SparkSettings spark) {}
