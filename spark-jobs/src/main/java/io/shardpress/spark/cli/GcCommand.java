package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.GcOptions;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "gc", description = "Removes from a work folder what its last runs do not use.")
final class GcCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "DIR", description = "Folder that compress had as --work.")
  private String work;

  @Option(
      names = "--keep",
      paramLabel = "N",
      required = true,
      description = "How many of the last runs keep their parts, at least 1.")
  private int keep;

  @Mixin private SparkArguments spark;

  GcCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    if (keep < 1) {
      throw new UsageException("--keep is " + keep + ", want at least 1");
    }
    return engine.get().gc(new GcOptions(work, keep, spark.settings()));
  }
}
