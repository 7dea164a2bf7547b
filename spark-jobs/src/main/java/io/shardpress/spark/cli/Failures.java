package io.shardpress.spark.cli;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.Interruption;
import io.shardpress.spark.app.options.ExitCodes;
import java.io.PrintWriter;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Tells of a failure in one line on stderr and turns it into an exit code. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private final Shardpress root;

  Failures(Shardpress root) {
    this.root = root;
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String message = e.getMessage().lines().findFirst().orElse("wrong usage");
    if (e instanceof UnmatchedArgumentException unmatched) {
      message = unmatched(unmatched, command);
    } else if (e.getArgSpec() instanceof OptionSpec option
        && option.longestName().equals(SparkArguments.CONF)) {
      // Its value is not repeated: it may be a secret.
      message = SparkArguments.CONF + " wants KEY=VALUE, a Spark property and its value";
    }
    print(command, message + " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return ExitCodes.WRONG_USAGE;
  }

  private static String unmatched(UnmatchedArgumentException e, CommandLine command) {
    String argument = e.getUnmatched().get(0);
    CommandSpec spec = command.getCommandSpec();
    boolean option = argument.startsWith("-");
    Set<String> known = option ? spec.optionsMap().keySet() : spec.subcommands().keySet();
    String noun = option ? "option" : known.isEmpty() ? "argument" : "command";
    String nearest = known.isEmpty() ? "" : ", the nearest is " + Nearest.to(argument, known);
    return "unknown " + noun + " '" + argument + "'" + nearest;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine command, ParseResult parseResult) {
    if (Interruption.happened()) {
      // What fails while Spark is stopped is told by nobody.
      return ExitCodes.INTERRUPTED;
    }
    Throwable known = known(failure);
    if (known != null) {
      print(command, oneLine(known.getMessage()));
    } else {
      String hint = root.stacktrace() ? "" : " (--stacktrace shows where)";
      print(command, UnexpectedFailure.line(failure) + hint);
    }
    if (root.stacktrace()) {
      failure.printStackTrace(command.getErr());
      command.getErr().flush();
    }
    return known instanceof UsageException ? ExitCodes.WRONG_USAGE : ExitCodes.FAILED;
  }

  /** Our own exception among the causes: Spark wraps what a task threw. */
  private static Throwable known(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof CheckpointException || cause instanceof UsageException) {
        return cause;
      }
    }
    return null;
  }

  private static String oneLine(String message) {
    return message.lines().map(String::strip).findFirst().orElse("");
  }

  /** Without the user and password of URIs. */
  private static String masked(String message) {
    return message
        .replaceAll("(s3[an]?://)\\S*@", "$1…@")
        .replaceAll("(://)[^/@\\s]*:[^/@\\s]*@", "$1…@");
  }

  private static void print(CommandLine command, String message) {
    PrintWriter err = command.getErr();
    err.println("error: " + masked(message));
    err.flush();
  }
}
