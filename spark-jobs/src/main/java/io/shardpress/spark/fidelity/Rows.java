package io.shardpress.spark.fidelity;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The table's rows and columns: recipes with a place for the scheme. All see the same calibration
 * text.
 */
final class Rows {
  private Rows() {}

  /** Recipes by learner; SCHEME stands for what a column says. */
  static Map<String, String> recipes(int rank) {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("rtn", "QuantizationModifier: {SCHEME}");
    rows.put("easyquant", "EasyQuantModifier: {SCHEME}");
    rows.put("smoothquant", "[{SmoothQuantModifier: {}}, {QuantizationModifier: {SCHEME}}]");
    rows.put("awq", "AWQModifier: {SCHEME}");
    rows.put("gptq, plain target", "GPTQModifier: {SCHEME, alpha: 0, step_search: false}");
    rows.put("gptq", "GPTQModifier: {SCHEME}");
    rows.put("coupled", "CoupledModifier: {SCHEME}");
    rows.put(
        "coupled, then steps by the end loss",
        "[{CoupledModifier: {SCHEME}}, {EndToEndModifier: {}}]");
    rows.put("lrq by layer", lrq(rank, "objective: layer, iterations: 300, learning_rate: 3e-3"));
    String few = ", iterations: 150, batch_size: 1, scale_iterations: 0";
    rows.put(
        "flexround in 150 steps",
        "FlexRoundModifier: {SCHEME, init: rtn, learning_rate: 6e-3" + few + "}");
    rows.put(
        "gptq, then flexround in 150 steps",
        "FlexRoundModifier: {SCHEME, learning_rate: 5e-3" + few + "}");
    rows.put(
        "flexround as published",
        "FlexRoundModifier: {SCHEME, init: rtn, step_search: false,"
            + " keep_best: false, scale_iterations: 0}");
    rows.put("autoround", "AutoRoundModifier: {SCHEME}");
    rows.put(
        "lrq as published",
        lrq(rank, "init: rtn, step_search: false, keep_best: false, scale_iterations: 0"));
    rows.put("lrq, side by side", lrq(rank, "init: rtn, order: parallel, touch_up: 100"));
    rows.put("awq, then lrq", "[{AWQModifier: {}}, {" + lrq(rank, "rank: 0") + "}]");
    rows.put(
        "awq, then flexround in 300 steps",
        "[{AWQModifier: {n_grid: 10}}, {FlexRoundModifier: {SCHEME, init: rtn, iterations: 300,"
            + " scale_iterations: 0}}]");
    rows.put(
        "awq, then flexround from rtn",
        "[{AWQModifier: {}}, {FlexRoundModifier: {SCHEME, init: rtn}}]");
    rows.put("awq, then flexround", "[{AWQModifier: {}}, {FlexRoundModifier: {SCHEME}}]");
    rows.put("lrq", lrq(rank, "init: gptq"));
    rows.put("flexround", "FlexRoundModifier: {SCHEME}");
    return rows;
  }

  private static String lrq(int rank, String settings) {
    String given = settings.startsWith("rank") ? "rank: " + rank : settings + ", rank: " + rank;
    return "LRQModifier: {SCHEME, " + given + "}";
  }

  /** Schemes by column. */
  static Map<String, String> columns() {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("W8A8", "scheme: W8A8");
    columns.put("W4 per channel", "scheme: W4A16_ASYM, group_size: channel");
    columns.put("W4 g128", "scheme: W4A16");
    columns.put("W4 g128 asymmetric", "scheme: W4A16_ASYM");
    columns.put("W3 per channel", "scheme: W3A16_ASYM, group_size: channel");
    columns.put("W2 per channel", "scheme: W2A16_ASYM, group_size: channel");
    columns.put("W2 g128", "scheme: W2A16");
    columns.put("W2 g128 asymmetric", "scheme: W2A16_ASYM");
    columns.put("W4A8KV8", "scheme: W4A8KV8");
    return columns;
  }
}
