package io.shardpress.spark.app.options;

import io.shardpress.schemas.output.OutputChoice;
import java.util.Optional;

/**
 * {@code compress}.
 *
 * @param model URI of a checkpoint's folder
 * @param output URI of the folder to write
 * @param work URI of the part store; empty: inside the output, removed at the end
 * @param keepActivations keep every block's inputs in {@code work}, which is there then
 * @param overwrite replace an output that carries a manifest of ours
 */
public record CompressOptions(
    String model,
    String output,
    RecipeChoice recipe,
    TextSettings calibration,
    Optional<String> work,
    boolean keepActivations,
    OutputChoice outputs,
    boolean overwrite,
    SparkSettings spark) {}
