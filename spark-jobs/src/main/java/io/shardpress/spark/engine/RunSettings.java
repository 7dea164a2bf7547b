package io.shardpress.spark.engine;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmuls;
import java.io.Serializable;

/**
 * What every task of a run must agree on. Hadoop's settings are not in it: there are credentials
 * among them, and Spark prints what it cannot send. They cross by themselves, once for a run.
 *
 * @param run names the run, and the group of its Spark jobs
 * @param store URI of the part store
 * @param matmul full name of the backend that the driver chose
 * @param loops name of the loops that it chose
 */
public record RunSettings(String run, String store, String matmul, String loops)
    implements Serializable {
  /** The settings of a run whose driver is this process. */
  public static RunSettings ofThisProcess(String run, String store) {
    return new RunSettings(run, store, Matmuls.chosen().name(), Loops.chosen().name());
  }

  /** What results depend on, in one line: part of every part's name. */
  public String arithmetic() {
    return matmul + " " + loops;
  }
}
