package io.shardpress.spark.engine;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.FileHosts;
import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartFault;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs units as Spark tasks, one task each, in the order given. Units whose parts are all in the
 * store are left out.
 */
public final class StepRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

  private final JavaSparkContext spark;
  private final RunSettings settings;
  private final Configuration configuration;
  private final PartStore store;
  private final TaskHosts hosts;
  private final TaskCpus cpus;
  private final Runnable guard;
  private final Map<String, Ran> steps = Collections.synchronizedMap(new LinkedHashMap<>());
  private Broadcast<SerializableConfiguration> hadoop;
  private Tallies tallies;
  private Progress progress;

  /**
   * @param guard throws where the run is to stop; asked before every Spark job
   */
  public StepRunner(JavaSparkContext spark, RunSettings settings, Runnable guard) {
    this(spark, settings, spark.hadoopConfiguration(), guard);
  }

  private StepRunner(
      JavaSparkContext spark, RunSettings settings, Configuration hadoop, Runnable guard) {
    this.guard = guard;
    this.spark = spark;
    this.settings = settings;
    // What others set in theirs while this runs is not for the tasks.
    this.configuration = new Configuration(hadoop);
    this.store = new PartStore(settings.store(), configuration);
    this.hosts = new TaskHosts(new FileHosts(configuration), store);
    this.cpus = new TaskCpus(spark);
  }

  /** One without Spark, which only says what is in the store. */
  public static StepRunner lookUp(RunSettings settings, Configuration hadoop) {
    return new StepRunner(null, settings, hadoop, () -> {});
  }

  public PartStore store() {
    return store;
  }

  /** What results depend on, part of every part's name. */
  public String arithmetic() {
    return settings.arithmetic();
  }

  /** Hadoop's settings of the run. */
  public Configuration configuration() {
    return configuration;
  }

  /** What has run so far and what was there, by step, in the order in which steps began. */
  public Map<String, Ran> steps() {
    return steps;
  }

  /**
   * What became of some units.
   *
   * @param run units that ran; the others' parts were there
   * @param cpuSeconds of the tasks' threads
   */
  public record Ran(int run, int reused, double cpuSeconds) {
    public static final Ran NOTHING = new Ran(0, 0, 0);

    public Ran plus(Ran other) {
      return new Ran(run + other.run, reused + other.reused, cpuSeconds + other.cpuSeconds);
    }
  }

  /**
   * Makes the parts of these units.
   *
   * @param step such as "statistics", under which units are counted
   * @param where with the step it describes the Spark job
   */
  public Ran run(String step, Where where, List<? extends Step> units) {
    return run(step, where, missing(units), units.size());
  }

  /**
   * The same for who has asked for what is {@link #missing}.
   *
   * @param units how many there are with those that are not missing
   */
  public Ran run(String step, Where where, List<? extends Step> missing, int units) {
    List<MakeParts> tasks = new ArrayList<>();
    missing.forEach(unit -> tasks.add(new MakeParts(unit)));
    double cpu = 0;
    for (TaskAnswer<Boolean> answer : answers(where.text(step), tasks)) {
      cpu += answer.cpuNanos() / 1e9;
    }
    return count(step, new Ran(missing.size(), units - missing.size(), cpu));
  }

  private Ran count(String step, Ran ran) {
    steps.merge(step, ran, Ran::plus);
    LOG.info("{}: {} steps run, {} found in the part store", step, ran.run(), ran.reused());
    RunMetrics metrics = RunMetrics.here();
    metrics.stepsRun.inc(ran.run());
    metrics.stepsReused.inc(ran.reused());
    return ran;
  }

  /**
   * Runs pieces of the run side by side that do not depend on one another: each runs steps by this
   * runner, one after the other. Numbers do not depend on it.
   *
   * @throws RuntimeException what the first that failed has thrown; the others' jobs are cancelled
   */
  public void sideBySide(List<Runnable> lanes) {
    Lanes.run(spark, lanes);
  }

  /**
   * Whether tasks run in other processes than this. Where they run in this one, a task that needs
   * much of its heap is to run alone, as the plan reckons.
   */
  public boolean onExecutors() {
    return spark != null && !spark.isLocal();
  }

  /** Has somebody hear of tasks' work while it is done. */
  public void report(Progress listener) {
    progress = listener;
  }

  /** The work of tasks that have ended well so far. */
  public synchronized Work work() {
    return tallies == null ? Work.NONE : tallies.work();
  }

  /** Counts units that a run had no need to ask for, since what comes of them was there. */
  public void found(String step, int units) {
    count(step, new Ran(0, units, 0));
  }

  /** Counts what the driver has made a part of, with the help of tasks that made none. */
  public Ran made(String step, double cpuSeconds) {
    return count(step, new Ran(1, 0, cpuSeconds));
  }

  /** The units of which the store has not all parts. */
  public <U extends Step> List<U> missing(List<U> units) {
    Set<PartKey> present =
        store.present(units.stream().flatMap(unit -> unit.parts().stream()).toList());
    return units.stream().filter(unit -> !present.containsAll(unit.parts())).toList();
  }

  /**
   * Runs tasks and gives their answers in the tasks' order.
   *
   * @throws PartException where tasks read parts that are bad
   */
  public <R extends Serializable> List<R> call(String step, List<? extends ClusterTask<R>> tasks) {
    return answers(Where.MODEL.text(step), tasks).stream().map(TaskAnswer::value).toList();
  }

  /**
   * Answers of tasks, and what they cost.
   *
   * @param values in the tasks' order
   */
  public record Answers<R>(List<R> values, double cpuSeconds) {}

  /** Runs tasks that share numbers, which cross Spark once for all of them. */
  public <S extends Serializable, R extends Serializable> Answers<R> call(
      String step, Where where, List<? extends SharedTask<S, R>> tasks, S shared) {
    if (tasks.isEmpty()) {
      return new Answers<>(List.of(), 0);
    }
    Function<SharedTask<S, R>, TaskAnswer<R>> function =
        new SharedFunction<>(function(tasks.size()), shared);
    List<TaskAnswer<R>> answers = answers(where.text(step), tasks, function);
    double cpu = answers.stream().mapToDouble(answer -> answer.cpuNanos() / 1e9).sum();
    return new Answers<>(answers.stream().map(TaskAnswer::value).toList(), cpu);
  }

  private <R extends Serializable> List<TaskAnswer<R>> answers(
      String description, List<? extends ClusterTask<R>> tasks) {
    return tasks.isEmpty()
        ? List.of()
        : answers(description, tasks, this.<R>function(tasks.size()));
  }

  /** What an executor does with each of so many tasks. */
  private synchronized <R extends Serializable> TaskFunction<R> function(int tasks) {
    if (hadoop == null) {
      hadoop = spark.broadcast(new SerializableConfiguration(configuration));
      tallies = Tallies.of(spark.sc());
    }
    return new TaskFunction<>(settings, hadoop, tallies, cpus.threads(tasks));
  }

  private <T, R extends Serializable> List<TaskAnswer<R>> answers(
      String description, List<? extends T> tasks, Function<T, TaskAnswer<R>> function) {
    Lanes.checkpoint();
    guard.run();
    List<TaskAnswer<R>> answers =
        JobGroup.within(spark, settings.run(), description, () -> collect(tasks, function));
    List<PartFault> faults = new ArrayList<>();
    for (TaskAnswer<R> answer : answers) {
      if (answer.error() != null) {
        throw new CheckpointException(answer.error().message());
      }
      if (answer.badPart() != null) {
        faults.add(answer.badPart());
      }
    }
    if (!faults.isEmpty()) {
      throw new PartException(faults);
    }
    return answers;
  }

  private <T, R extends Serializable> List<TaskAnswer<R>> collect(
      List<? extends T> tasks, Function<T, TaskAnswer<R>> function) {
    WorkListener listener =
        progress == null ? null : WorkListener.enter(spark.sc(), tallies, progress);
    try {
      JavaRDD<T> placed = hosts.place(spark, tasks);
      return cpus.spread(placed.map(function)).collect();
    } finally {
      if (listener != null) {
        listener.close();
      }
    }
  }

  /** A unit as a task without an answer. */
  public record MakeParts(Step unit) implements ClusterTask<Boolean> {
    @Override
    public String kind() {
      return unit.getClass().getSimpleName();
    }

    @Override
    public Reads reads() {
      return unit.reads();
    }

    @Override
    public Boolean run(TaskEnvironment environment) {
      unit.run(environment);
      return true;
    }
  }
}
