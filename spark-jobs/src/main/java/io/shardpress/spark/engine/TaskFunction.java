package io.shardpress.spark.engine;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Locale;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What an executor does with a task.
 *
 * @param hadoop Hadoop's settings, which cross once for all of a run's tasks
 * @param threads of its kernels; more where Spark gives the task more cpus
 */
record TaskFunction<R extends Serializable>(
    RunSettings settings, Broadcast<SerializableConfiguration> hadoop, int threads)
    implements Function<ClusterTask<R>, TaskAnswer<R>> {
  // As Spark names it.
  private static final String DRIVER = "driver";

  @Override
  public TaskAnswer<R> call(ClusterTask<R> task) {
    ThreadMXBean times = ManagementFactory.getThreadMXBean();
    long start = times.getCurrentThreadCpuTime();
    TaskMeter meter = new TaskMeter(TaskContext.get());
    int cpus = Math.max(threads, TaskContext.get().cpus());
    try (TaskEnvironment environment =
        new TaskEnvironment(settings, hadoop.value().value(), cpus, meter)) {
      R value = task.run(environment);
      long cpu = times.getCurrentThreadCpuTime() - start + environment.workers().cpuNanos();
      return new TaskAnswer<>(value, null, null, cpu);
    } catch (CheckpointException e) {
      meter.checkpoint();
      return new TaskAnswer<>(null, e.getMessage(), null, times.getCurrentThreadCpuTime() - start);
    } catch (PartException e) {
      // What breaks off in the middle of a read may look like a bad part.
      meter.checkpoint();
      // No retry of this task would mend it: the driver has the part made again.
      return new TaskAnswer<>(
          null, null, e.faults().get(0), times.getCurrentThreadCpuTime() - start);
    } catch (OutOfMemoryError e) {
      if (!isDriver()) {
        throw e;
      }
      return new TaskAnswer<>(null, outOfMemory(), null, times.getCurrentThreadCpuTime() - start);
    }
  }

  /**
   * Whether tasks run in the driver's own process. Of an executor Spark makes a new one after this
   * error and runs its tasks again; here it would end the driver from inside a task, with an exit
   * code of its own, while other threads still hold what there is of memory.
   */
  private static boolean isDriver() {
    return DRIVER.equals(SparkEnv.get().executorId());
  }

  private static String outOfMemory() {
    return String.format(
        Locale.ROOT,
        "out of memory: a task filled the heap of %d MB; raise it by SHARDPRESS_JAVA_OPTS=-Xmx…, or"
            + " run fewer tasks at once by --master 'local[1]'",
        Runtime.getRuntime().maxMemory() >> 20);
  }
}
