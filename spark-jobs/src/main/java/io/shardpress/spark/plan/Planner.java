package io.shardpress.spark.plan;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.recipe.RecipeMatcher;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Makes plans, and refuses what could not end well, with the reason. */
public final class Planner {
  // The share of a normal distribution beyond three standard deviations: headers do not say how
  // many there are, and the job that counts them puts its count in this one's place.
  private static final double NORMAL_OUTLIERS = 0.0026998;

  private final Checkpoint checkpoint;
  private final ModelConfig config;
  private final Recipe recipe;
  private final RecipeMatcher matcher;
  private final Targets targets;
  private final ScaleFormat scaleFormat;
  private final String scaleDtype;
  private final ActivationPlan activations;

  private Planner(Checkpoint checkpoint, Recipe recipe, UnaryOperator<ScaleFormat> scales) {
    this.checkpoint = checkpoint;
    this.recipe = recipe;
    this.config = checkpoint.config();
    this.matcher = recipe.matcher();
    this.targets = new Targets(config, checkpoint.shapes().keySet());
    ScaleFormat own = ownScales(config);
    this.scaleDtype = own.name();
    this.scaleFormat = scales.apply(own);
    this.activations = new ActivationPlan(checkpoint.uri(), recipe, scaleDtype);
  }

  /** The dtype of scales that stand beside the model's own tensors. */
  private static ScaleFormat ownScales(ModelConfig config) {
    return switch (config.dtype()) {
      case "bfloat16" -> ScaleFormat.BF16;
      case "float16" -> ScaleFormat.F16;
      default -> ScaleFormat.F32;
    };
  }

  /**
   * The plan for a checkpoint.
   *
   * @param scales what stored scales must be exact in, from the model's own dtype
   * @throws CheckpointException where model and recipe do not go together, naming the tensor
   */
  public static CompressionPlan plan(
      Checkpoint checkpoint, Recipe recipe, UnaryOperator<ScaleFormat> scales) {
    return new Planner(checkpoint, recipe, scales).plan();
  }

  private CompressionPlan plan() {
    if (recipe.needsText()) {
      config
          .unsupportedReason()
          .ifPresent(
              reason -> {
                throw new CheckpointException(
                    checkpoint.uri()
                        + "/config.json: "
                        + (recipe.calibrated()
                            ? "calibrated algorithms cannot take this model: "
                            : "activations of this model cannot be measured: ")
                        + reason
                        + (recipe.calibrated()
                            ? "; use --algorithm rtn, which needs no block"
                            : "; use a scheme without static scales, such as W8A8 or W4A16"));
              });
    }
    List<PlanEntry> entries =
        new ArrayList<>(
            checkpoint.tensors().stream()
                .map(this::entry)
                .map(activations::withCacheScale)
                .toList());
    entries.addAll(PlanEntry.unused(checkpoint));
    List<PlanEntry> quantized =
        entries.stream().filter(entry -> entry.action() == Action.QUANTIZE).toList();
    List<String> unmatched = UnmatchedNames.of(checkpoint, config, recipe, entries);
    if (quantized.isEmpty() && recipe.quantizesWeights()) {
      throw new CheckpointException(
          checkpoint.uri()
              + ": the recipe's targets match no linear of this model; name them with --targets"
              + (unmatched.isEmpty() ? "" : " (" + unmatched.get(0) + ")"));
    }
    new RecipeChecks(checkpoint.uri(), config).check(entries);
    activations.check(entries);
    List<String> warnings = new ArrayList<>(unmatched);
    if (!recipe.transforms().isEmpty()) {
      ScaledStages stages =
          new ScaledStages(checkpoint.uri(), config, checkpoint.shapes().keySet());
      recipe.transforms().forEach(modifier -> warnings.addAll(stages.check(modifier)));
    }
    return new CompressionPlan(checkpoint, config, recipe, entries, scaleFormat, warnings);
  }

  private PlanEntry entry(TensorRef tensor) {
    Optional<String> module = Targets.module(tensor);
    if (module.isEmpty()) {
      return copied(tensor, tensor.tensor(), "not the weight of a linear");
    }
    String className = targets.className(tensor);
    Optional<Recipe.Choice> choice = matcher.choose(module.get(), className);
    if (choice.isEmpty()) {
      return copied(
          tensor,
          module.get(),
          className.isEmpty() ? "not a linear by its name or size" : PlanEntry.IGNORED);
    }
    WeightScheme scheme = choice.get().group().weights();
    check(tensor, scheme);
    List<OutputTensor> outputs =
        new ArrayList<>(
            CompressedTensors.outputTensors(
                module.get(),
                Math.toIntExact(tensor.rows()),
                Math.toIntExact(tensor.columns()),
                choice.get().group(),
                scaleDtype));
    if (scheme.outliers()) {
      outputs.addAll(
          CompressedTensors.outlierTensors(
              module.get(),
              Math.round(NORMAL_OUTLIERS * tensor.elements()),
              tensor.dtype().name()));
    }
    return new PlanEntry(tensor, module.get(), Action.QUANTIZE, "", choice.get(), outputs);
  }

  private PlanEntry copied(TensorRef tensor, String module, String reason) {
    OutputTensor same = new OutputTensor(tensor.tensor(), tensor.dtype().name(), tensor.shape());
    return new PlanEntry(tensor, module, Action.COPY, reason, null, List.of(same));
  }

  private void check(TensorRef tensor, WeightScheme scheme) {
    if (!FloatBytes.handles(tensor.dtype())) {
      throw new CheckpointException(
          "%s: tensor %s%s: found dtype %s, wanted F32, F16 or BF16; convert it, or ignore it"
              .formatted(tensor.file(), tensor.tensor(), others(tensor.dtype()), tensor.dtype()));
    }
    if (!scheme.divides(tensor.columns())) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: its %d inputs do not split into groups of %d; use --group-size"
                  + " channel, or --ignore %s",
              tensor.file(),
              tensor.tensor(),
              tensor.columns(),
              scheme.groupSize(),
              Targets.module(tensor).orElseThrow()));
    }
    if (tensor.elements() > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: its %d elements are more than one array holds (2^31); ignore it",
              tensor.file(),
              tensor.tensor(),
              tensor.elements()));
    }
  }

  /** How many other weights the recipe would meet in this dtype. */
  private String others(Dtype dtype) {
    long all =
        checkpoint.tensors().stream()
            .filter(tensor -> tensor.dtype() == dtype)
            .filter(
                tensor ->
                    Targets.module(tensor)
                        .flatMap(module -> matcher.choose(module, targets.className(tensor)))
                        .isPresent())
            .count();
    return all > 1 ? " and " + (all - 1) + " more" : "";
  }
}
