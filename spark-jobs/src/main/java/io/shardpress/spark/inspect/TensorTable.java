package io.shardpress.spark.inspect;

import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Tensors as a table of text: a line each, columns as wide as they need to be. */
public final class TensorTable {
  private static final String NOTHING = "-";

  private TensorTable() {}

  /**
   * The table without statistics.
   *
   * @return lines, the first one naming the columns
   */
  public static String of(List<TensorRef> tensors) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("tensor", "dtype", "shape", "shard", "bytes"));
    tensors.forEach(tensor -> rows.add(cells(tensor)));
    return text(rows);
  }

  /**
   * The table with statistics; tensors that are not floating-point have none.
   *
   * @param summaries by name
   */
  public static String of(List<TensorRef> tensors, Map<String, ValueSummary> summaries) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "tensor",
            "dtype",
            "shape",
            "shard",
            "bytes",
            "min",
            "max",
            "mean",
            "std",
            "not finite"));
    for (TensorRef tensor : tensors) {
      List<String> row = new ArrayList<>(cells(tensor));
      row.addAll(cells(summaries.get(tensor.tensor())));
      rows.add(row);
    }
    return text(rows);
  }

  private static List<String> cells(TensorRef tensor) {
    String shape =
        tensor.shape().stream().map(String::valueOf).collect(Collectors.joining("x", "[", "]"));
    return List.of(
        tensor.tensor(),
        tensor.dtype().name(),
        shape,
        tensor.shard(),
        String.valueOf(tensor.length()));
  }

  private static List<String> cells(ValueSummary summary) {
    if (summary == null) {
      return List.of(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING);
    }
    String notFinite = String.valueOf(summary.nans() + summary.infinities());
    if (summary.count() == 0) {
      return List.of(NOTHING, NOTHING, NOTHING, NOTHING, notFinite);
    }
    return List.of(
        number(summary.min()),
        number(summary.max()),
        number(summary.mean()),
        number(summary.standardDeviation()),
        notFinite);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.5g", value);
  }

  private static String text(List<List<String>> rows) {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String cell = row.get(i);
        String gap = " ".repeat(widths[i] - cell.length());
        // Names from the left, numbers from the right.
        line.append(i < 4 ? cell + gap : gap + cell).append("  ");
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
