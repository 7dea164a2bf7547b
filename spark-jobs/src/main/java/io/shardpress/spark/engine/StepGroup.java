package io.shardpress.spark.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Units that run side by side.
 *
 * @param name of the step
 * @param where describes its Spark jobs, with the step's name
 */
public record StepGroup(String name, Where where, List<? extends Step> units) {
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
      Map<String, List<StepGroup>> byName = new LinkedHashMap<>();
      for (List<StepGroup> steps : blocks) {
        if (i < steps.size()) {
          byName.computeIfAbsent(steps.get(i).name(), name -> new ArrayList<>()).add(steps.get(i));
        }
      }
      byName.values().forEach(alike -> all.add(merge(alike)));
    }
    return all;
  }

  private static StepGroup merge(List<StepGroup> alike) {
    StepGroup first = alike.get(0);
    if (alike.size() == 1) {
      return first;
    }
    List<Step> units = new ArrayList<>();
    alike.forEach(group -> units.addAll(group.units()));
    return new StepGroup(first.name(), first.where().across(alike.size()), units);
  }
}
