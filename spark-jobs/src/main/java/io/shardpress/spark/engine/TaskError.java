package io.shardpress.spark.engine;

import java.io.Serializable;

/** What is wrong, as an answer: no retry of the task would mend it. */
public record TaskError(ErrorKind kind, String message) implements Serializable {}
