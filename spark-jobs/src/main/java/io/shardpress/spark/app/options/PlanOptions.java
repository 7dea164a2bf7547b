package io.shardpress.spark.app.options;

import io.shardpress.schemas.output.OutputChoice;
import java.util.Optional;

/**
 * {@code plan}, and {@code compress --dry-run}.
 *
 * @param model URI of a checkpoint's folder
 * @param output URI of the folder that a dry run would write to
 * @param work URI of the part store
 * @param hash read all weights once, so that the plan knows which parts are there already
 */
public record PlanOptions(
    String model,
    Optional<String> output,
    RecipeChoice recipe,
    OutputChoice outputs,
    TextSettings calibration,
    Optional<String> work,
    boolean hash,
    SparkSettings spark) {}
