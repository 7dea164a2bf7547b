package io.shardpress.spark.cli;

import io.shardpress.spark.app.CommandEngine;
import io.shardpress.spark.app.Interruption;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.job.BuildVersion;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line's entry, for {@code scripts/shardpress} and for spark-submit. */
@Command(
    name = "shardpress",
    description = "Compresses very large LLM checkpoints on Apache Spark.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = BuildVersion.class,
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 --max-kl exceeded, 4 interrupted.",
      "MODEL, OUTPUT, DIR and FILE are paths or URIs of any Hadoop file system."
    })
@SuppressWarnings("UnusedVariable") // picocli itself reads help and version
public final class Shardpress implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  private boolean help;

  @Option(names = "--version", versionHelp = true, description = "Show the version.")
  private boolean version;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "On failure, show where it happened.")
  private boolean stacktrace;

  private Shardpress() {}

  boolean stacktrace() {
    return stacktrace;
  }

  /** Called where no command is named. */
  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "no command; want one of " + String.join(", ", spec.subcommands().keySet()));
  }

  /** The command line over an engine that is asked for only when a command is to run. */
  static CommandLine over(Supplier<CommandEngine> engine) {
    Shardpress root = new Shardpress();
    CommandLine line = new CommandLine(root);
    line.addSubcommand(new PlanCommand(engine));
    line.addSubcommand(new CompressCommand(engine));
    line.addSubcommand(new DecompressCommand(engine));
    line.addSubcommand(new EvaluateCommand(engine));
    line.addSubcommand(new VerifyCommand(engine));
    line.addSubcommand(new InspectCommand(engine));
    line.addSubcommand(new GcCommand(engine));
    Failures failures = new Failures(root);
    line.setExecutionExceptionHandler(failures);
    line.setParameterExceptionHandler(failures);
    return line;
  }

  public static void main(String[] args) {
    int code = ExitCodes.FAILED;
    Interruption.install(
        () -> {
          LastResort.endsWith(ExitCodes.INTERRUPTED);
          System.exit(ExitCodes.INTERRUPTED);
        });
    try {
      code = over(CommandEngine::load).execute(args);
    } catch (Throwable e) {
      // An Error such as OutOfMemoryError; without the exit below Spark's threads would run on.
      if (!Interruption.happened()) {
        System.err.println("error: " + e);
      }
    } finally {
      code = Interruption.happened() ? ExitCodes.INTERRUPTED : code;
      LastResort.endsWith(code);
      System.exit(code);
    }
  }
}
