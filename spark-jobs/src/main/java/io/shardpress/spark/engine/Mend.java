package io.shardpress.spark.engine;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartFault;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a run does about parts that are not what was written: it forgets them, says so, and goes
 * through its steps again as if it had been interrupted before they were made.
 */
public final class Mend {
  // A part that is bad each time it is made is the fault of a disk or of memory.
  private static final int MOST_TIMES = 3;
  private static final int PARTS_OF_A_TASK = 16;

  private final StepRunner runner;
  private final Map<PartKey, Integer> times = new HashMap<>();
  private boolean suspicious;

  public Mend(StepRunner runner) {
    this.runner = runner;
  }

  /**
   * Forgets bad parts.
   *
   * @throws CheckpointException where one of them has been bad too often
   */
  public void discard(List<PartFault> faults) {
    suspicious = true;
    Map<PartKey, PartFault> each = new LinkedHashMap<>();
    faults.forEach(fault -> each.putIfAbsent(fault.part(), fault));
    for (PartFault fault : each.values()) {
      if (times.merge(fault.part(), 1, Integer::sum) > MOST_TIMES) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s; made again %d times, and bad each time: look at the part store's disk",
                fault.message(),
                MOST_TIMES));
      }
      System.err.println("warning: " + fault.message() + "; it is made again");
      runner.store().discard(fault.part());
    }
  }

  /**
   * Reads those of the parts that are there, once a bad one has been seen: where one is bad, others
   * may be, and to find them one by one would cost a way through all steps each.
   */
  public void check(List<PartKey> parts) {
    if (!suspicious) {
      return;
    }
    suspicious = false;
    List<PartKey> there = parts.stream().filter(runner.store()::has).toList();
    List<CheckParts> tasks = new ArrayList<>();
    for (int i = 0; i < there.size(); i += PARTS_OF_A_TASK) {
      int end = Math.min(i + PARTS_OF_A_TASK, there.size());
      tasks.add(new CheckParts(new ArrayList<>(there.subList(i, end))));
    }
    List<PartFault> faults = new ArrayList<>();
    runner.call("checksums", tasks).forEach(faults::addAll);
    discard(faults);
    suspicious = false;
  }
}
