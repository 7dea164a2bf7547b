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

  /** Mean KL in nats, agreement and CPU seconds of every cell; the least KL of a column is bold. */
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
            ", %.1f %%, %.0f s",
            100 * cell.evaluation().agreement(),
            cell.cpuSeconds());
    return (cell == best(column) ? "**" + kl + "**" : kl) + rest;
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
                boolean sure =
                    rows.values().stream()
                        .map(others -> others.get(column))
                        .allMatch(
                            other -> other == null || other == cell || cell.surelyBelow(other));
                line.putObject(column)
                    .put("kl", cell.evaluation().kl().mean())
                    .put("perplexity", cell.evaluation().compressedPerplexity())
                    .put("top1_agreement", cell.evaluation().agreement())
                    .put("seconds", cell.seconds())
                    .put("learner_cpu_seconds", cell.cpuSeconds())
                    .put("matmul_flops", cell.flops())
                    .put("below_all_others_by_two_standard_errors", sure);
              });
        });
    return all.toString();
  }
}
