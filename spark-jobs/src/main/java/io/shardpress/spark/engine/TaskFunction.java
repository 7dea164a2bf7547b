package io.shardpress.spark.engine;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an executor does with a task.
 *
 * @param hadoop Hadoop's settings, which cross once for all of a run's tasks
 * @param tallies that the task adds its work to
 * @param threads of its kernels; more where Spark gives the task more cpus
 */
record TaskFunction<R extends Serializable>(
    RunSettings settings, Broadcast<SerializableConfiguration> hadoop, Tallies tallies, int threads)
    implements Function<ClusterTask<R>, TaskAnswer<R>> {
  private static final Logger LOG = LoggerFactory.getLogger(TaskFunction.class);

  // As Spark names it.
  private static final String DRIVER = "driver";

  @Override
  public TaskAnswer<R> call(ClusterTask<R> task) {
    TaskContext context = TaskContext.get();
    RunMetrics metrics = RunMetrics.here();
    TaskMeter meter = new TaskMeter(context, tallies, metrics);
    long start = System.nanoTime();
    long cpuStart = cpuNanos();
    try (TaskEnvironment environment =
        new TaskEnvironment(
            settings, hadoop.value().value(), Math.max(threads, context.cpus()), meter)) {
      R value = task.run(environment);
      tallies.tasks().add(1L);
      long cpu = cpuNanos() - cpuStart + environment.workers().cpuNanos();
      log(task, meter, System.nanoTime() - start, cpu, environment.workers().threads());
      return new TaskAnswer<>(value, null, null, cpu);
    } catch (CheckpointException e) {
      failed(meter, metrics, e);
      return wrong(ErrorKind.INPUT, e.getMessage(), cpuNanos() - cpuStart);
    } catch (PartException e) {
      failed(meter, metrics, e);
      // No retry of this task would mend it: the driver has the part made again.
      return new TaskAnswer<>(null, null, e.faults().get(0), cpuNanos() - cpuStart);
    } catch (OutOfMemoryError e) {
      failed(meter, metrics, e);
      if (!isDriver()) {
        throw e;
      }
      return wrong(ErrorKind.MEMORY, outOfMemory(), cpuNanos() - cpuStart);
    } catch (RuntimeException | Error e) {
      failed(meter, metrics, e);
      throw e;
    } finally {
      metrics.took(task.kind(), (System.nanoTime() - start) / 1e9);
    }
  }

  /** A line for each task; on a console that Shardpress has for itself they are left out. */
  private void log(ClusterTask<R> task, TaskMeter meter, long nanos, long cpuNanos, int threads) {
    if (LOG.isInfoEnabled()) {
      Work work = meter.work();
      LOG.info(
          String.format(
              Locale.ROOT,
              "%s: %s %d took %.1f s, %.1f CPU s of %d threads; %.1f Gflop, read %.1f MB, wrote"
                  + " %.1f MB; %s",
              TaskContext.get().getLocalProperty(JobGroup.DESCRIPTION),
              task.kind(),
              TaskContext.get().partitionId(),
              nanos / 1e9,
              cpuNanos / 1e9,
              threads,
              work.flop() / 1e9,
              work.bytesRead() / 1e6,
              work.bytesWritten() / 1e6,
              settings.arithmetic()));
    }
  }

  private TaskAnswer<R> wrong(ErrorKind kind, String message, long cpuNanos) {
    return new TaskAnswer<>(null, new TaskError(kind, message), null, cpuNanos);
  }

  /** Counts and logs a failure; of a task that was killed it says nothing, and ends it. */
  private static void failed(TaskMeter meter, RunMetrics metrics, Throwable error) {
    if (TaskContext.get().isInterrupted()) {
      metrics.killed.inc();
      // What breaks off in the middle of a read may look like bad input, or a bad part.
      meter.checkpoint();
    }
    ErrorKind kind = ErrorKind.of(error);
    metrics.errors(kind).inc();
    LOG.info(
        "{}: task {} failed ({}): {}",
        TaskContext.get().getLocalProperty(JobGroup.DESCRIPTION),
        TaskContext.get().partitionId(),
        kind.word(),
        error.toString());
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

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}
