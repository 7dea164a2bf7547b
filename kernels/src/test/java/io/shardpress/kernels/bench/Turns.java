package io.shardpress.kernels.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs several things in turns and keeps the shortest time of each. */
final class Turns {
  private static final int WARM_UP = 3;
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Map<String, Runnable> things = new LinkedHashMap<>();
  private final Map<String, Double> best = new LinkedHashMap<>();
  private final Map<String, Double> bestCpu = new LinkedHashMap<>();

  Turns add(String name, Runnable thing) {
    things.put(name, thing);
    return this;
  }

  /** Measures for about that many seconds for each thing, at least three rounds. */
  Turns run(double seconds) {
    for (Runnable thing : things.values()) {
      for (int i = 0; i < WARM_UP; i++) {
        thing.run();
      }
    }
    long end = System.nanoTime() + (long) (seconds * things.size() * 1e9);
    for (int round = 0; round < 3 || System.nanoTime() < end; round++) {
      things.forEach(
          (name, thing) -> {
            long startCpu = PROCESS.getProcessCpuTime();
            long start = System.nanoTime();
            thing.run();
            best.merge(name, (System.nanoTime() - start) / 1e9, Math::min);
            bestCpu.merge(name, (PROCESS.getProcessCpuTime() - startCpu) / 1e9, Math::min);
          });
    }
    return this;
  }

  /** The shortest time, in seconds. */
  double seconds(String name) {
    return best.get(name);
  }

  /** The least processor time of all threads, in seconds: other processes disturb it less. */
  double cpuSeconds(String name) {
    return bestCpu.get(name);
  }

  boolean has(String name) {
    return things.containsKey(name);
  }
}
