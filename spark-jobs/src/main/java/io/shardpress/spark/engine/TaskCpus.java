package io.shardpress.spark.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;

/**
 * How many cpus a task has, and its kernels threads. Where there are fewer tasks than executors
 * have room for, as in learning a block, each asks for more than spark.task.cpus by a profile of
 * its stage. Results do not depend on it.
 */
final class TaskCpus {
  private final JavaSparkContext spark;
  // Spark keeps every profile that it was ever given: one for each number of cpus is enough.
  private final Map<Integer, ResourceProfile> profiles = new ConcurrentHashMap<>();

  TaskCpus(JavaSparkContext spark) {
    this.spark = spark;
  }

  /** Threads for each of so many tasks here; on a cluster a task has what it was given cpus. */
  int threads(int tasks) {
    return spark.isLocal() ? share(1, spark.defaultParallelism(), 1, tasks) : 1;
  }

  /**
   * What each of some tasks can have.
   *
   * @param least that a task has in any case
   * @param cores of an executor
   */
  static int share(int least, int cores, int executors, int tasks) {
    int there = Math.max(1, executors);
    int together = Math.max(1, (tasks + there - 1) / there);
    return Math.max(least, cores / together);
  }

  /** The same data, with as many cpus for each partition's task as there is room for. */
  <T> JavaRDD<T> spread(JavaRDD<T> data) {
    SparkConf conf = spark.getConf();
    // A profile of its own asks dynamic allocation for executors of its own: a new set for nearly
    // every stage. And of executors that take whatever a worker has nobody knows how much that is.
    if (spark.isLocal()
        || conf.getBoolean("spark.dynamicAllocation.enabled", false)
        || !conf.contains("spark.executor.cores")) {
      return data;
    }
    int configured = conf.getInt("spark.task.cpus", 1);
    // The driver is among them.
    int executors = spark.sc().statusTracker().getExecutorInfos().length - 1;
    int cores = conf.getInt("spark.executor.cores", 1);
    int cpus = share(configured, cores, executors, data.getNumPartitions());
    return cpus == configured
        ? data
        : data.withResources(profiles.computeIfAbsent(cpus, TaskCpus::profile));
  }

  private static ResourceProfile profile(int cpus) {
    return new ResourceProfileBuilder().require(new TaskResourceRequests().cpus(cpus)).build();
  }
}
