package io.shardpress.spark.fidelity;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The figures of all cells, for people and for programs. */
final class FidelityTable {
  private final List<String> columns;
  private final Map<String, Map<String, Cell>> rows = new LinkedHashMap<>();

  FidelityTable(List<String> columns) {
    this.columns = List.copyOf(columns);
  }

  void put(String row, String column, Cell cell) {
    rows.computeIfAbsent(row, name -> new LinkedHashMap<>()).put(column, cell);
  }

  /**
   * Mean KL in nats, perplexity, agreement, CPU seconds and products of every cell. The least KL of
   * a column is bold, and so are those that are not above it by two standard errors of the paired
   * difference.
   */
  String markdown() {
    StringBuilder text = new StringBuilder("| learner |");
    columns.forEach(column -> text.append(' ').append(column).append(" |"));
    text.append("\n|---|").append("---|".repeat(columns.size())).append('\n');
    rows.forEach(
        (row, cells) -> {
          text.append("| ").append(row).append(" |");
          for (String column : columns) {
            Cell cell = cells.get(column);
            text.append(' ').append(cell == null ? "" : shown(column, cell)).append(" |");
          }
          text.append('\n');
        });
    return text.toString();
  }

  private String shown(String column, Cell cell) {
    String kl = String.format(Locale.ROOT, "%.3g", cell.evaluation().kl().mean());
    String rest =
        String.format(
            Locale.ROOT,
            ", %.2f, %.1f %%, %.0f s, %.2g",
            cell.evaluation().compressedPerplexity(),
            100 * cell.evaluation().agreement(),
            cell.cpuSeconds(),
            cell.flops());
    return (cell.above(best(column)).sure() ? kl : "**" + kl + "**") + rest;
  }

  private Cell best(String column) {
    Cell best = null;
    for (Map<String, Cell> cells : rows.values()) {
      Cell cell = cells.get(column);
      if (cell != null
          && (best == null || cell.evaluation().kl().mean() < best.evaluation().kl().mean())) {
        best = cell;
      }
    }
    return best;
  }

  /** All figures, one line. */
  String json() {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    rows.forEach(
        (row, cells) -> {
          ObjectNode line = all.putObject(row);
          cells.forEach(
              (column, cell) -> {
                Cell.Difference above = cell.above(best(column));
                line.putObject(column)
                    .put("kl", cell.evaluation().kl().mean())
                    .put("kl_above_best", above.mean())
                    .put("standard_error_of_that", above.standardError())
                    .put("perplexity", cell.evaluation().compressedPerplexity())
                    .put("top1_agreement", cell.evaluation().agreement())
                    .put("seconds", cell.seconds())
                    .put("learner_cpu_seconds", cell.cpuSeconds())
                    .put("matmul_flops", cell.flops());
              });
        });
    return all.toString();
  }
}
