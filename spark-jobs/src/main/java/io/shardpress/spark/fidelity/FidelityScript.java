package io.shardpress.spark.fidelity;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.TextSettings;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code scripts/fidelity}: every learner at every scheme on one model and text. */
@Command(
    name = "fidelity",
    mixinStandardHelpOptions = true,
    description = "Measures every learner at every scheme on one model, with equal calibration.")
public final class FidelityScript implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "Folder of a checkpoint.")
  private String model;

  @Option(names = "--calibration", description = "Text; default: calibration.jsonl in MODEL.")
  private String calibration;

  @Option(names = "--text", description = "Held-out text; default: heldout.jsonl in MODEL.")
  private String text;

  @Option(names = "--samples", description = "Calibration windows; default: ${DEFAULT-VALUE}.")
  private int samples = 512;

  @Option(names = "--heldout", description = "Held-out windows; default: ${DEFAULT-VALUE}.")
  private int heldout = 96;

  @Option(names = "--sequence-length", description = "Tokens of a window; default: the model's.")
  private Integer length;

  @Option(names = "--rank", description = "LRQ's rank; 0: its default; default: 0.")
  private int rank;

  @Option(names = "--row", description = "Only this learner; may be repeated.")
  private final List<String> rows = new ArrayList<>();

  @Option(names = "--column", description = "Only this scheme; may be repeated.")
  private final List<String> columns = new ArrayList<>();

  @Option(
      names = "--recipe",
      paramLabel = "F",
      description =
          "One more learner: modifiers as in a recipe, with SCHEME where the column's"
              + " scheme goes, such as GPTQModifier: {SCHEME, alpha: 0}; may be repeated.")
  private final List<Path> recipes = new ArrayList<>();

  @Option(names = "--work", required = true, description = "Folder for the compressed models.")
  private File work;

  private FidelityScript() {}

  /** Runs it; Markdown and one line of JSON go to stdout. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** The same, for who lives on: the exit code. */
  static int run(String... args) {
    CommandLine line = new CommandLine(new FidelityScript());
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          System.err.println("error: " + failure.getMessage());
          return failure instanceof UsageException ? ExitCodes.WRONG_USAGE : ExitCodes.FAILED;
        });
    return line.execute(args);
  }

  @Override
  public Integer call() {
    OptionalInt tokens = length == null ? OptionalInt.empty() : OptionalInt.of(length);
    String learnt = calibration == null ? model + "/calibration.jsonl" : calibration;
    String measured = text == null ? model + "/heldout.jsonl" : text;
    Map<String, String> schemes = Rows.columns();
    known("--column", columns, schemes.keySet());
    known("--row", rows, Rows.recipes(rank).keySet());
    schemes.keySet().removeIf(column -> !columns.isEmpty() && !columns.contains(column));
    FidelityTable table = new FidelityTable(List.copyOf(schemes.keySet()));
    try (JavaSparkContext spark = Fidelity.open()) {
      Fidelity fidelity =
          new Fidelity(
              spark,
              model,
              new TextSettings(Optional.of(learnt), "text", samples, tokens),
              new TextSettings(Optional.of(measured), "text", heldout, tokens));
      learners()
          .forEach(
              (row, recipe) ->
                  schemes.forEach(
                      (column, scheme) -> {
                        measure(fidelity, table, row, column, recipe.replace("SCHEME", scheme));
                      }));
    }
    System.out.print(table.markdown());
    System.out.println();
    System.out.println(table.json());
    return 0;
  }

  private static void known(String option, List<String> asked, Set<String> names) {
    for (String name : asked) {
      if (!names.contains(name)) {
        throw new UsageException(option + " " + name + ": there are " + String.join(" | ", names));
      }
    }
  }

  /** Recipes by row: ours, as far as they were asked for, and the user's. */
  private Map<String, String> learners() {
    Map<String, String> learners = Rows.recipes(rank);
    if (!rows.isEmpty() || !recipes.isEmpty()) {
      learners.keySet().retainAll(rows);
    }
    for (Path file : recipes) {
      String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
      try {
        learners.put(name, Files.readString(file));
      } catch (IOException e) {
        throw new UsageException(file + ": cannot read: " + e, e);
      }
    }
    return learners;
  }

  private void measure(
      Fidelity fidelity, FidelityTable table, String row, String column, String recipe) {
    try {
      String output = new File(work, (row + " " + column).replaceAll("\\W+", "-")).toString();
      Fidelity.Outcome outcome = fidelity.run(Recipe.parse(row, recipe), output);
      Cell cell =
          new Cell(outcome.evaluation(), outcome.seconds(), outcome.cpuSeconds(), outcome.flops());
      table.put(row, column, cell);
      System.err.printf(
          Locale.ROOT, "%s, %s: KL %.4g%n", row, column, outcome.evaluation().kl().mean());
    } catch (CheckpointException | UsageException e) {
      // Sizes that a group does not divide, or a scheme that a learner does not take: no cell.
      System.err.println(row + ", " + column + ": " + e.getMessage());
    }
  }
}
