package io.shardpress.spark.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a run did and what it found, in one line. */
public final class StepCounts {
  private StepCounts() {}

  /** {@code units run: digests 1, gptq 21; found in the part store: digests 1, gptq 21}. */
  public static String line(Map<String, StepRunner.Ran> steps) {
    List<String> run = new ArrayList<>();
    List<String> found = new ArrayList<>();
    steps.forEach(
        (step, ran) -> {
          if (ran.run() > 0) {
            run.add(step + " " + ran.run());
          }
          if (ran.reused() > 0) {
            found.add(step + " " + ran.reused());
          }
        });
    return "units run: " + list(run) + "; found in the part store: " + list(found);
  }

  private static String list(List<String> counts) {
    return counts.isEmpty() ? "none" : String.join(", ", counts);
  }
}
