package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.options.DecompressOptions;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "decompress", description = "Dequantizes a checkpoint into one in full precision.")
final class DecompressCommand implements Callable<Integer> {
  private final Supplier<CommandEngine> engine;

  @Parameters(
      index = "0",
      paramLabel = "COMPRESSED",
      description = "Folder of a quantized checkpoint, any URI.")
  private String model;

  @Parameters(
      index = "1",
      paramLabel = "OUTPUT",
      description = "Folder to write: absent, empty, or the unfinished one of the same run.")
  private String output;

  @Option(
      names = "--dtype",
      paramLabel = "NAME",
      description =
          "Of the weights: bfloat16, float16, or float32, which keeps integer times scale as it"
              + " is; default: the model's own where that has 16 bits, else bfloat16.")
  private String dtype;

  @Option(
      names = "--overwrite",
      description = "Replace OUTPUT where it holds a finished checkpoint of ours.")
  private boolean overwrite;

  @Mixin private SparkArguments spark;

  DecompressCommand(Supplier<CommandEngine> engine) {
    this.engine = engine;
  }

  @Override
  public Integer call() {
    return engine
        .get()
        .decompress(
            new DecompressOptions(
                model,
                output,
                Optional.ofNullable(dtype).map(DecompressCommand::named),
                overwrite,
                spark.settings()));
  }

  private static Dtype named(String name) {
    return switch (name) {
      case "bfloat16" -> Dtype.BF16;
      case "float16" -> Dtype.F16;
      case "float32" -> Dtype.F32;
      default ->
          throw new UsageException("--dtype is " + name + ", want bfloat16, float16 or float32");
    };
  }
}
