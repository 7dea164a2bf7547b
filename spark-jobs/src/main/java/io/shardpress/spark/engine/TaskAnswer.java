package io.shardpress.spark.engine;

import io.shardpress.spark.store.PartFault;
import java.io.Serializable;

/**
 * What comes back from a task.
 *
 * @param error what is wrong with the input, or that memory did not do, which no retry would mend;
 *     else null
 * @param badPart what the task read and could not use; else null
 * @param cpuNanos CPU time of all threads that worked for it
 */
public record TaskAnswer<R extends Serializable>(
    R value, TaskError error, PartFault badPart, long cpuNanos) implements Serializable {}
