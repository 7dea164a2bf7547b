package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.PlanOptions;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "plan",
    description = "Says what compress would do: every tensor, bytes, ranks and problems.")
final class PlanCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "MODEL", description = "Folder of a checkpoint, any URI.")
  private String model;

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
      description = "Part store to compare with: says what would be computed again.")
  private String work;

  @Option(names = "--hash", description = "Read all weights once to know that for certain.")
  private boolean hash;

  @Mixin private OutputArguments outputs;

  @Mixin private SparkArguments spark;

  PlanCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    if (hash && work == null) {
      throw new UsageException("--hash without --work: name the DIR that keeps the digests");
    }
    PlanOptions options =
        new PlanOptions(
            model,
            Optional.empty(),
            recipe.choice(),
            outputs.choice(),
            windows.settings(calibration),
            Optional.ofNullable(work),
            hash,
            spark.settings());
    return engine.get().plan(options);
  }
}
