package io.shardpress.spark.job;

import java.io.Serializable;

/**
 * What comes back from a task.
 *
 * @param inputError what is wrong with the input, which no retry would mend; else null
 * @param cpuNanos CPU time of all threads that worked for it
 */
record TaskAnswer<R extends Serializable>(R value, String inputError, long cpuNanos)
    implements Serializable {}
