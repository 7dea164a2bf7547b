package io.shardpress.spark.cli;

import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.inspect.TensorPattern;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "inspect", description = "Lists a checkpoint's tensors.")
final class InspectCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "MODEL", description = "Folder of a checkpoint, any URI.")
  private String model;

  @Option(
      names = "--tensors",
      paramLabel = "PATTERN",
      description = "Only tensors of such names: with * and ? as in a shell, or re:REGEX.")
  private String tensors;

  @Option(
      names = "--statistics",
      description = "Read the values too: least, greatest, mean and deviation.")
  private boolean statistics;

  @Option(
      names = "--dequantize",
      description = "Show the tensors of the dense model that a quantized checkpoint stands for.")
  private boolean dequantize;

  @Mixin private SparkArguments spark;

  InspectCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    if (tensors != null) {
      TensorPattern.of(tensors);
    }
    return engine
        .get()
        .inspect(
            new InspectOptions(
                model, Optional.ofNullable(tensors), statistics, dequantize, spark.settings()));
  }
}
