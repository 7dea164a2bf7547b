package io.shardpress.spark.job;

import io.shardpress.spark.unit.UnitOfWork;
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
record LearningStep(String name, String where, List<? extends UnitOfWork> units) {
  /** Runs steps one after the other. */
  static TaskRunner.Ran run(TaskRunner runner, List<LearningStep> steps) {
    TaskRunner.Ran ran = TaskRunner.Ran.NOTHING;
    for (LearningStep step : steps) {
      ran = ran.plus(runner.run(step.name(), step.where(), step.units()));
    }
    return ran;
  }

  /** Steps of several blocks side by side: the first of each, then the second of each, … */
  static List<LearningStep> together(List<List<LearningStep>> blocks) {
    List<LearningStep> all = new ArrayList<>();
    int most = blocks.stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < most; i++) {
      // Blocks that are not alike have other steps at the same place.
      Map<String, List<UnitOfWork>> byName = new LinkedHashMap<>();
      Map<String, String> where = new LinkedHashMap<>();
      for (List<LearningStep> steps : blocks) {
        if (i < steps.size()) {
          LearningStep step = steps.get(i);
          byName.computeIfAbsent(step.name(), name -> new ArrayList<>()).addAll(step.units());
          where.putIfAbsent(step.name(), step.where());
        }
      }
      byName.forEach((name, units) -> all.add(new LearningStep(name, where.get(name), units)));
    }
    return all;
  }
}
