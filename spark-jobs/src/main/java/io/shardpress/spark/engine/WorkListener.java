package io.shardpress.spark.engine;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import scala.Tuple4;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Tells a progress of a run's work as it is done: with the end of every task, and of tasks under
 * way with every heartbeat of their executor, for a block is learned by a single task for minutes.
 */
final class WorkListener extends SparkListener {
  private final Tallies tallies;
  private final Progress progress;

  /** Of tasks under way, by their attempts' ids. */
  private final Map<Long, Work> running = new HashMap<>();

  private final SparkContext spark;
  private boolean closed;

  private WorkListener(SparkContext spark, Tallies tallies, Progress progress) {
    this.spark = spark;
    this.tallies = tallies;
    this.progress = progress;
  }

  /** Listens until it is closed. */
  static WorkListener enter(SparkContext spark, Tallies tallies, Progress progress) {
    WorkListener listener = new WorkListener(spark, tallies, progress);
    spark.addSparkListener(listener);
    return listener;
  }

  /** Tells what the tasks that have ended came to; Spark may not have told of all of them yet. */
  void close() {
    spark.removeSparkListener(this);
    synchronized (tallies) {
      closed = true;
      progress.working(tallies.work());
    }
  }

  @Override
  public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate heartbeat) {
    boolean ours = false;
    for (Tuple4<Object, Object, Object, Seq<AccumulableInfo>> task :
        CollectionConverters.asJava(heartbeat.accumUpdates())) {
      Work work = work(task._4());
      if (!work.equals(Work.NONE)) {
        running.put((Long) task._1(), work);
        ours = true;
      }
    }
    if (ours) {
      tell();
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd task) {
    boolean known = running.remove(task.taskInfo().taskId()) != null;
    if (known || !work(task.taskInfo().accumulables().toSeq()).equals(Work.NONE)) {
      tell();
    }
  }

  private void tell() {
    Work work = tallies.work();
    for (Work task : running.values()) {
      work = work.plus(task);
    }
    synchronized (tallies) {
      if (!closed) {
        progress.working(work);
      }
    }
  }

  /** What a task has added to the tallies of this run. */
  private Work work(Seq<AccumulableInfo> updates) {
    Map<Long, Long> byId = new HashMap<>();
    for (AccumulableInfo update : CollectionConverters.asJava(updates)) {
      if (update.update().isDefined() && update.update().get() instanceof Long value) {
        byId.put(update.id(), value);
      }
    }
    return new Work(
        byId.getOrDefault(tallies.tasks().id(), 0L),
        byId.getOrDefault(tallies.flop().id(), 0L),
        byId.getOrDefault(tallies.bytesRead().id(), 0L),
        byId.getOrDefault(tallies.bytesWritten().id(), 0L));
  }
}
