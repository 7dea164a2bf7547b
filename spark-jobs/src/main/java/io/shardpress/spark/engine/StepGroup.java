package io.shardpress.spark.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Units that run side by side.
 *
 * @param name of the step
 * @param where names its Spark jobs
 */
public record StepGroup(String name, String where, List<? extends Step> units) {
  /** Runs steps one after the other. */
  public static StepRunner.Ran run(StepRunner runner, List<StepGroup> steps) {
    StepRunner.Ran ran = StepRunner.Ran.NOTHING;
    for (StepGroup step : steps) {
      ran = ran.plus(runner.run(step.name(), step.where(), step.units()));
    }
    return ran;
  }

  /** Steps of several blocks side by side: the first of each, then the second of each, … */
  public static List<StepGroup> together(List<List<StepGroup>> blocks) {
    List<StepGroup> all = new ArrayList<>();
    int most = blocks.stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < most; i++) {
      // Blocks that are not alike have other steps at the same place.
      Map<String, List<Step>> byName = new LinkedHashMap<>();
      Map<String, String> where = new LinkedHashMap<>();
      for (List<StepGroup> steps : blocks) {
        if (i < steps.size()) {
          StepGroup step = steps.get(i);
          byName.computeIfAbsent(step.name(), name -> new ArrayList<>()).addAll(step.units());
          where.putIfAbsent(step.name(), step.where());
        }
      }
      byName.forEach((name, units) -> all.add(new StepGroup(name, where.get(name), units)));
    }
    return all;
  }
}
