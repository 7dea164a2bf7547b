package io.shardpress.spark.job;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.output.Format;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.compressedtensors.CompressedTensorsFormat;
import io.shardpress.spark.output.gguf.GgufFormat;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.Planner;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A compression with all that it publishes, from headers alone.
 *
 * @param formats of the publications, in their order
 */
public record PlannedCompression(
    CompressionPlan plan, List<Format> formats, List<Publication> publications) {
  private static final List<Format> ALL = List.of(new CompressedTensorsFormat(), new GgufFormat());

  public PlannedCompression {
    formats = List.copyOf(formats);
    publications = List.copyOf(publications);
  }

  /**
   * The plan for a checkpoint.
   *
   * @throws io.shardpress.schemas.CheckpointException where model, recipe and formats do not go
   *     together, naming the tensor
   */
  public static PlannedCompression of(Checkpoint checkpoint, Recipe recipe, OutputChoice choice) {
    List<Format> formats =
        ALL.stream().filter(format -> choice.formats().contains(format.format())).toList();
    CompressionPlan plan = Planner.plan(checkpoint, recipe, own -> scales(formats, own));
    List<Publication> publications = new ArrayList<>();
    formats.forEach(format -> publications.add(format.plan(plan, choice)));
    return new PlannedCompression(plan, formats, publications);
  }

  /** What scales must be exact in, so that every format holds them as they are. */
  private static ScaleFormat scales(List<Format> formats, ScaleFormat own) {
    return formats.stream()
        .map(format -> format.scales(own))
        .reduce(PlannedCompression::both)
        .orElse(own);
  }

  private static ScaleFormat both(ScaleFormat one, ScaleFormat other) {
    if (one == other || other == ScaleFormat.F32) {
      return one;
    }
    // f32 holds every f16; bf16 and f16 share some numbers only.
    return one == ScaleFormat.F32 ? other : ScaleFormat.BF16_AND_F16;
  }

  /** The same publications of a plan that steps have made more exact. */
  PlannedCompression with(CompressionPlan exact) {
    List<Publication> again = new ArrayList<>();
    for (int i = 0; i < formats.size(); i++) {
      again.add(formats.get(i).again(exact, publications.get(i)));
    }
    return new PlannedCompression(exact, formats, again);
  }

  /** What users should know, and may accept. */
  public List<String> warnings() {
    return Stream.concat(
            plan.warnings().stream(), publications.stream().flatMap(one -> one.warnings().stream()))
        .toList();
  }

  /** Files that the output tensors go to. */
  public int outputFiles() {
    return publications.stream().mapToInt(one -> one.files().size()).sum();
  }

  /** Bytes of all output tensors. */
  public long outputBytes() {
    return publications.stream().mapToLong(Publication::bytes).sum();
  }
}
