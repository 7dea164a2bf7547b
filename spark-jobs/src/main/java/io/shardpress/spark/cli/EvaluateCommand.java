package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.CacheRounding;
import io.shardpress.spark.app.options.EvaluateOptions;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "evaluate",
    description = "Measures a compressed checkpoint against its original on held-out text.")
final class EvaluateCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(index = "0", paramLabel = "ORIGINAL", description = "Folder of a checkpoint.")
  private String original;

  @Parameters(index = "1", paramLabel = "COMPRESSED", description = "Folder made from it.")
  private String compressed;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      required = true,
      description = "Held-out text: .jsonl, .parquet or .txt, or several by share: A=0.5,B=0.5.")
  private String text;

  @Mixin private WindowArguments windows;

  @Option(names = "--json", description = "Print the figures as one JSON object on stdout.")
  private boolean json;

  @Option(
      names = "--kv-cache",
      paramLabel = "HOW",
      defaultValue = "runtime",
      description =
          "Where the checkpoint has a kv_cache_scheme: runtime rounds by its scales (default),"
              + " published per token before the rotation, as LRQ's paper did.")
  private String cache;

  @Option(
      names = "--max-kl",
      paramLabel = "X",
      description = "End with code 3 where the mean KL is above X nats.")
  private Double maxKl;

  @Mixin private SparkArguments spark;

  EvaluateCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    if (maxKl != null && !(maxKl >= 0)) {
      throw new UsageException("--max-kl is " + maxKl + ", want a number of at least 0");
    }
    EvaluateOptions options =
        new EvaluateOptions(
            original,
            compressed,
            windows.settings(text),
            json,
            cache(),
            maxKl == null ? OptionalDouble.empty() : OptionalDouble.of(maxKl),
            spark.settings());
    return engine.get().evaluate(options);
  }

  private CacheRounding cache() {
    return switch (cache) {
      case "runtime" -> CacheRounding.RUNTIME;
      case "published" -> CacheRounding.PUBLISHED;
      default -> throw new UsageException("--kv-cache is " + cache + ", want runtime or published");
    };
  }
}
