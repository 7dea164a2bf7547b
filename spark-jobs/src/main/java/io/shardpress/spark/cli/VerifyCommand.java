package io.shardpress.spark.cli;

import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.VerifyOptions;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "verify",
    description = "Holds every file against the manifest and prints the tree hash.")
final class VerifyCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "OUTPUT", description = "Folder that compress wrote.")
  private String output;

  @Mixin private SparkArguments spark;

  VerifyCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    return engine.get().verify(new VerifyOptions(output, spark.settings()));
  }
}
