package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.RecipeChoice;
import io.shardpress.spark.app.options.TextSettings;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "compress",
    description =
        "Compresses a checkpoint into a folder that vLLM and Transformers, or a file that llama.cpp"
            + " loads.")
final class CompressCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "MODEL", description = "Folder of a checkpoint, any URI.")
  private String model;

  @Parameters(
      index = "1",
      paramLabel = "OUTPUT",
      description = "Folder to write: absent, empty, or the unfinished one of the same run.")
  private String output;

  @Mixin private RecipeArguments recipe;

  @Option(
      names = "--calibration",
      paramLabel = "FILE",
      description =
          ".jsonl, .parquet or .txt, or several by share: A=0.5,B=0.5; default: calibration.jsonl"
              + " in MODEL.")
  private String calibration;

  @Mixin private WindowArguments windows;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "Part store to keep and share between runs; default: in OUTPUT until the end.")
  private String work;

  @Option(
      names = "--keep-activations",
      description =
          "Keep every block's inputs in DIR: a later run begins at the first block that changed.")
  private boolean keepActivations;

  @Mixin private OutputArguments outputs;

  @Option(
      names = "--overwrite",
      description = "Replace OUTPUT where it holds a finished checkpoint of ours.")
  private boolean overwrite;

  @Option(names = "--dry-run", description = "Print the plan and stop.")
  private boolean dryRun;

  @Mixin private SparkArguments spark;

  CompressCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    OutputChoice formats = outputs.choice();
    if (keepActivations && work == null) {
      throw new UsageException(
          "--keep-activations without --work: they would go with OUTPUT's own store; name a DIR to"
              + " keep them in");
    }
    RecipeChoice choice = recipe.choice();
    TextSettings text = windows.settings(calibration);
    if (dryRun) {
      PlanOptions options =
          new PlanOptions(
              model,
              Optional.of(output),
              choice,
              formats,
              text,
              Optional.ofNullable(work),
              false,
              spark.settings());
      return engine.get().plan(options);
    }
    CompressOptions options =
        new CompressOptions(
            model,
            output,
            choice,
            text,
            Optional.ofNullable(work),
            keepActivations,
            formats,
            overwrite,
            spark.settings());
    return engine.get().compress(options);
  }
}
