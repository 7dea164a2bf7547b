package io.shardpress.kernels.bench;

import java.util.Map;
import java.util.TreeMap;

/** The benchmarks by name, and the line that each prints. */
public final class Bench {
  private static final Map<String, Benchmark> BENCHMARKS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("matmul", new MatmulBench()),
              Map.entry("syrk", new SymmetricRankBench()),
              Map.entry("cholesky", new CholeskyBench()),
              Map.entry("lrq-pass", LinearPassBench.lrq()),
              Map.entry("flexround-pass", LinearPassBench.flexRound()),
              Map.entry("autoround-pass", LinearPassBench.autoRound()),
              Map.entry("gptq", new GptqBench()),
              Map.entry("coupled", new CoupledBench(0)),
              Map.entry("coupled-groups", new CoupledBench(128)),
              Map.entry("quantize", new QuantizeBench()),
              Map.entry("convert", new ConvertBench()),
              Map.entry("block-step", BlockStepBench.large()),
              Map.entry("block-step-small", BlockStepBench.small())));

  private Bench() {}

  /** Usage: NAME [--threads N] [--size N] [--seconds S]. */
  public static void main(String[] arguments) {
    Benchmark benchmark = arguments.length == 0 ? null : BENCHMARKS.get(arguments[0]);
    if (benchmark == null) {
      System.err.println("usage: scripts/bench NAME [--threads N] [--size N] [--seconds S]");
      System.err.println("NAME is one of " + BENCHMARKS.keySet());
      System.exit(2);
      return;
    }
    Setting setting;
    try {
      setting = Setting.of(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println("scripts/bench: " + e.getMessage());
      System.exit(2);
      return;
    }
    JsonLine line = new JsonLine().put("bench", arguments[0]);
    setting.describe(line);
    benchmark.run(setting, line);
    System.out.println(line);
  }
}
